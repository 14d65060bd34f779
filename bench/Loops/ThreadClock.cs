using System.Runtime.InteropServices;

namespace Dunlin.Bench.Loops;

/// <summary>CPU time of the thread that asks, user and system, in nanoseconds.</summary>
internal sealed partial class ThreadClock : TimeProvider
{
    private const int ThreadCpuTime = 3;

    public override long TimestampFrequency => 1_000_000_000;

    public override long GetTimestamp()
    {
        _ = Read(ThreadCpuTime, out var now);
        return now.Seconds * TimestampFrequency + now.Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int Read(int clock, out Moment moment);

    [StructLayout(LayoutKind.Sequential)]
    private struct Moment
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
