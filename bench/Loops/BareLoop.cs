using System.Diagnostics;

namespace Dunlin.Bench.Loops;

/// <summary>The denominator: inference after inference, as fast as they go, in a process of its own.</summary>
internal static class BareLoop
{
    public const string Verb = "bare-loop";

    public static LoopReport Run(string model, TimeSpan warmUp, TimeSpan duration)
    {
        using var session = new BareSession(model, saved: true);
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < warmUp;) session.Run();
        var (runs, cpu, begin) = (0, Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        for (; Stopwatch.GetElapsedTime(begin) < duration; runs++) session.Run();
        var seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        return new LoopReport(runs / seconds, 1000 * (Environment.CpuUsage.TotalTime - cpu).TotalSeconds / runs);
    }
}
