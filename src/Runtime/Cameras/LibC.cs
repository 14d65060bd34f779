using System.Runtime.InteropServices;

namespace Dunlin.Runtime.Cameras;

/// <summary>The system calls that .NET does not offer; errors by <see cref="Marshal.GetLastPInvokeError"/>.</summary>
internal static unsafe partial class LibC
{
    public const short PollIn = 1;

    public const int OpenReadWrite = 2;
    public const int OpenNonBlocking = 0x800;
    public const int OpenCloseOnExec = 0x80000;

    public const int ProtectionReadWrite = 3;
    public const int MapShared = 1;
    public const int SetPipeSize = 1031;

    private const nuint ReadableCount = 0x541B;

    [StructLayout(LayoutKind.Sequential)]
    public struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ioctl(int descriptor, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollDescriptor* descriptors, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial nint Map(nint address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(nint address, nuint length);

    /// <summary>Bytes that can be read from it now; 0 if that cannot be said.</summary>
    public static int ReadableByteCount(int descriptor)
    {
        var count = 0;
        return Ioctl(descriptor, ReadableCount, &count) < 0 ? 0 : count;
    }

    /// <summary>Waits until the descriptor can be read; the returned events, 0 after the timeout or an interruption.</summary>
    public static short WaitReadable(int descriptor, int timeoutMilliseconds)
    {
        var poll = new PollDescriptor { Descriptor = descriptor, Events = PollIn };
        return Poll(&poll, 1, timeoutMilliseconds) > 0 ? poll.Returned : (short)0;
    }
}
