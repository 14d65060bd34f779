using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dunlin.Bundles.Durability;
using Microsoft.Win32.SafeHandles;

namespace Dunlin.Bundles.Store;

/// <summary>
/// Writes a preallocated file past the page cache where the file system lets it (O_DIRECT): a copy into the cache costs more than
/// a hash, and what is written so is at the disk, which makes the sync at the end short. Elsewhere through the cache.
/// Thread-safe. Promises nothing: the file's sync does.
/// </summary>
internal sealed class BlobFileWriter(SafeFileHandle file, string path) : IDisposable
{
    /// <summary>Of addresses, offsets and lengths; no disk asks for more.</summary>
    internal const int Alignment = 4096;

    /// <summary>
    /// Bytes in the cache after which the kernel is told to begin writing them: a power cut then costs little, and the sync at the
    /// end is short. What a cut takes all the same is found by its digest when the file is opened again.
    /// </summary>
    private const int WritebackByteCount = 4 * 1024 * 1024;

    private const int InvalidArgument = 22;

    private readonly SafeFileHandle? _direct = NativeFile.OpenDirect(path);
    private volatile bool _refusesDirect;
    private int _unwritten;

    /// <exception cref="IOException">The disk failed.</exception>
    public void Write(ReadOnlySpan<byte> content, long offset)
    {
        var direct = IsAligned(content, offset) ? content.Length - (content.Length % Alignment) : 0;
        if (direct > 0 && TryWriteDirect(content[..direct], offset))
        {
            content = content[direct..];
            offset += direct;
        }

        if (content.IsEmpty) return;
        RandomAccess.Write(file, content, offset);
        if (Interlocked.Add(ref _unwritten, content.Length) < WritebackByteCount) return;
        Volatile.Write(ref _unwritten, 0);
        NativeFile.BeginWriteback(file);
    }

    public void Dispose() => _direct?.Dispose();

    private bool TryWriteDirect(ReadOnlySpan<byte> content, long offset)
    {
        if (_direct is null || _refusesDirect) return false;
        try
        {
            RandomAccess.Write(_direct, content, offset);
            return true;
        }
        catch (IOException e) when (e.HResult == InvalidArgument)
        {
            // It opens so, and yet does not write so, or wants another alignment: from now on through the cache.
            _refusesDirect = true;
            return false;
        }
    }

    private static unsafe bool IsAligned(ReadOnlySpan<byte> content, long offset) =>
        offset % Alignment == 0 && (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(content)) % Alignment == 0;
}
