namespace Dunlin.Runtime.Cameras;

/// <summary>Error numbers of Linux (asm-generic/errno-base.h, errno.h), the same on x64 and arm64.</summary>
internal static class Errno
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int Interrupted = 4;
    public const int InputOutput = 5;
    public const int NoDeviceOrAddress = 6;
    public const int TryAgain = 11;
    public const int AccessDenied = 13;
    public const int Busy = 16;
    public const int NoDevice = 19;
    public const int InvalidArgument = 22;
    public const int NotTypewriter = 25;
    public const int NoSpace = 28;
}
