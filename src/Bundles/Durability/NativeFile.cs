using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Dunlin.Bundles.Durability;

/// <summary>The calls of libc that .NET lacks or whose errors it hides. Linux on x64 and arm64.</summary>
internal static partial class NativeFile
{
    private const int ReadOnly = 0;
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int NotFound = 2;
    private const int NotADirectory = 20;
    private const int TooManyLinks = 40;

    // These two differ between the architectures (Linux, asm/fcntl.h).
    private static readonly int NoFollow = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;
    private static readonly int DirectoryOnly = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;

    internal enum OpenResult
    {
        Opened = 1,
        Missing = 2,
        NotRegular = 3,
    }

    /// <summary>Opens a regular file without following a link in its last component and without waiting on a FIFO.</summary>
    internal static (OpenResult Result, SafeFileHandle? Handle) OpenForReading(string path)
    {
        var descriptor = Open(path, ReadOnly | CloseOnExec | NonBlocking | NoFollow, 0);
        if (descriptor < 0)
        {
            return Marshal.GetLastPInvokeError() switch
            {
                NotFound or NotADirectory => (OpenResult.Missing, null),
                TooManyLinks => (OpenResult.NotRegular, null),
                var error => throw Failure("open", path, error),
            };
        }
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (IsRegular(handle, path)) return (OpenResult.Opened, handle);
        handle.Dispose();
        return (OpenResult.NotRegular, null);
    }

    // statx(2) has one layout on every architecture; stx_mode is the u16 at offset 28.
    private static bool IsRegular(SafeFileHandle handle, string path)
    {
        const int atEmptyPath = 0x1000, typeMask = 1, modeOffset = 28, formatMask = 0xF000, regular = 0x8000;
        Span<byte> status = stackalloc byte[256];
        if (Status(handle, "", atEmptyPath, typeMask, status) != 0) throw Failure("statx", path, Marshal.GetLastPInvokeError());
        return (MemoryMarshal.Read<ushort>(status[modeOffset..]) & formatMask) == regular;
    }

    /// <summary>Syncs a file or directory to the disk.</summary>
    /// <exception cref="IOException">The disk reported an error: the data is lost, and another sync would not bring it back.</exception>
    internal static void Sync(SafeFileHandle handle, string path)
    {
        while (FileSync(handle) != 0)
        {
            const int interrupted = 4;
            var error = Marshal.GetLastPInvokeError();
            if (error != interrupted) throw Failure("fsync", path, error);
        }
    }

    /// <summary>Makes the names in a directory durable: what was created, renamed or removed there.</summary>
    internal static void SyncDirectory(string path)
    {
        var descriptor = Open(path, ReadOnly | CloseOnExec | DirectoryOnly, 0);
        if (descriptor < 0) throw Failure("open", path, Marshal.GetLastPInvokeError());
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        Sync(handle, path);
    }

    private static IOException Failure(string call, string path, int error) =>
        new($"{call} of '{path}' failed: {new Win32Exception(error).Message} (errno {error}).", error);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Status(SafeFileHandle directory, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FileSync(SafeFileHandle handle);
}
