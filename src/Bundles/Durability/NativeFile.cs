using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Dunlin.Bundles.Durability;

/// <summary>The calls of libc that .NET lacks or whose errors it hides. Linux on x64 and arm64.</summary>
internal static partial class NativeFile
{
    private const int ReadOnly = 0;
    private const int WriteOnly = 1;
    private const int ReadWrite = 2;
    private const int Create = 0x40;
    private const int Exclusive = 0x80;
    private const int Interrupted = 4;
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int NotFound = 2;
    private const int NotADirectory = 20;
    private const int TooManyLinks = 40;
    private const int StatusLength = 256;

    // These three differ between the architectures (Linux, asm/fcntl.h).
    private static readonly int NoFollow = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;
    private static readonly int DirectoryOnly = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;

    private static readonly int Direct = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x10000 : 0x4000;

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

    /// <summary>Opens a file of our own for reading and writing; null if it is absent, a link, or no regular file.</summary>
    internal static SafeFileHandle? OpenForWriting(string path)
    {
        const int isADirectory = 21;
        var descriptor = Open(path, ReadWrite | CloseOnExec | NonBlocking | NoFollow, 0);
        if (descriptor < 0)
        {
            return Marshal.GetLastPInvokeError() is var error and not (NotFound or NotADirectory or TooManyLinks or isADirectory) ? throw Failure("open", path, error) : null;
        }
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (IsRegular(handle, path)) return handle;
        handle.Dispose();
        return null;
    }

    /// <summary>Opens a file of our own for writes past the page cache; null where the file system knows none.</summary>
    internal static SafeFileHandle? OpenDirect(string path)
    {
        var descriptor = Open(path, WriteOnly | CloseOnExec | NoFollow | Direct, 0);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : null;
    }

    /// <summary>Creates a file, mode 0600, that must not exist.</summary>
    internal static SafeFileHandle CreateNew(string path)
    {
        const int ownerOnly = 0x180;
        var descriptor = Open(path, ReadWrite | Create | Exclusive | CloseOnExec | NoFollow, ownerOnly);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure("open", path, Marshal.GetLastPInvokeError());
    }

    /// <summary>Gives the file exactly this length, with blocks on the disk for all of it.</summary>
    /// <exception cref="IOException">Without room its HResult is ENOSPC or EDQUOT.</exception>
    internal static void Allocate(SafeFileHandle handle, long length, string path)
    {
        int error;
        while ((error = PosixAllocate(handle, 0, length)) == Interrupted)
        {
            // Asked again, as with any interrupted call.
        }
        if (error != 0) throw Failure("posix_fallocate", path, error);
    }

    /// <summary>
    /// Begins to write dirty pages without waiting, which is no promise: <see cref="Sync"/> is, and it still reports what fails here
    /// (sync_file_range without its waiting flags consumes no error).
    /// </summary>
    internal static void BeginWriteback(SafeFileHandle handle)
    {
        const uint write = 2;
        _ = SyncFileRange(handle, 0, 0, write);
    }

    /// <summary>Names that a file has in the file system.</summary>
    internal static uint LinkCount(SafeFileHandle handle, string path)
    {
        const int linkMask = 4, linkOffset = 16;
        Span<byte> status = stackalloc byte[StatusLength];
        Examine(handle, path, linkMask, status);
        return MemoryMarshal.Read<uint>(status[linkOffset..]);
    }

    private static bool IsRegular(SafeFileHandle handle, string path)
    {
        const int typeMask = 1, modeOffset = 28, formatMask = 0xF000, regular = 0x8000;
        Span<byte> status = stackalloc byte[StatusLength];
        Examine(handle, path, typeMask, status);
        return (MemoryMarshal.Read<ushort>(status[modeOffset..]) & formatMask) == regular;
    }

    // statx(2) has one layout on every architecture: u32 stx_nlink at offset 16, u16 stx_mode at 28.
    private static void Examine(SafeFileHandle handle, string path, uint mask, Span<byte> status)
    {
        const int atEmptyPath = 0x1000;
        if (Status(handle, "", atEmptyPath, mask, status) != 0) throw Failure("statx", path, Marshal.GetLastPInvokeError());
    }

    /// <summary>Syncs a file or directory to the disk.</summary>
    /// <exception cref="IOException">The disk reported an error: the data is lost, and another sync would not bring it back.</exception>
    internal static void Sync(SafeFileHandle handle, string path)
    {
        while (FileSync(handle) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != Interrupted) throw Failure("fsync", path, error);
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

    /// <summary>rename(2), which moves a link and not what it names: File.Move refuses a link to a folder.</summary>
    internal static void Rename(string from, string to)
    {
        if (RenameFile(from, to) != 0) throw Failure("rename", to, Marshal.GetLastPInvokeError());
    }

    private static IOException Failure(string call, string path, int error) =>
        new($"{call} of '{path}' failed: {new Win32Exception(error).Message} (errno {error}).", error);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Status(SafeFileHandle directory, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameFile(string from, string to);

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int SyncFileRange(SafeFileHandle handle, long offset, long length, uint flags);

    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    private static partial int PosixAllocate(SafeFileHandle handle, long offset, long length);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FileSync(SafeFileHandle handle);
}
