namespace Dunlin.Agent.Reporting;

/// <summary>Wall time for a frame's monotonic one.</summary>
internal static class FrameTime
{
    /// <param name="capturedNanoseconds">CLOCK_MONOTONIC.</param>
    /// <param name="time">Whose timestamps are of that clock.</param>
    public static DateTimeOffset Of(long capturedNanoseconds, TimeProvider time) =>
        time.GetUtcNow() - TimeSpan.FromTicks((time.GetTimestamp() - capturedNanoseconds) / TimeSpan.NanosecondsPerTick);
}
