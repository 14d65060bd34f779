using System.IO.MemoryMappedFiles;

namespace Dunlin.Optimizer.Data;

/// <summary>Bytes in a mapped file without a name: they may be more than the machine's memory, and are gone with the process, however it ends.</summary>
internal sealed unsafe class PixelFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    /// <param name="byteCount">All zero at first.</param>
    /// <param name="folder">On the disk that is to hold them. By default the cache; not the folder for temporary files, which may itself be memory.</param>
    /// <exception cref="IOException">The disk has no room for them.</exception>
    public PixelFile(long byteCount, string? folder = null)
    {
        folder ??= Path.Combine(CacheFolder.Path, "pixels");
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, Path.GetRandomFileName());
        // Room is taken at once: to find none while writing to mapped memory would kill the process.
        var stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, PreallocationSize = byteCount });
        File.Delete(path);
        stream.SetLength(byteCount);
        _file = MemoryMappedFile.CreateFromFile(stream, null, byteCount, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
        _view = _file.CreateViewAccessor(0, byteCount);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    /// <summary>May be read and written by any number of threads at once, each at its own place.</summary>
    public Span<byte> At(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(_view.SafeMemoryMappedViewHandle.IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + length, _view.Capacity);
        return new Span<byte>(_start + offset, length);
    }

    public void Dispose()
    {
        if (_view.SafeMemoryMappedViewHandle.IsClosed) return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
