using System.Text.Json;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Latencies;

namespace Dunlin.Fleet.Watching;

/// <summary>What JSON does not tell of a device's message and whoever shows it relies on: no nulls in lists, and numbers that fit on a line and into a sum.</summary>
internal static class Soundness
{
    private const double Most = 1e9, MostSeconds = 86_400;

    /// <summary>Of a hundred thousand devices the sum is still a number.</summary>
    private const long MostCount = 1L << 40;

    /// <exception cref="JsonException">It cannot be shown.</exception>
    public static Reported Check(Reported reported) => Require(reported, !reported.Problems.Contains(null!), "problems");

    /// <exception cref="JsonException">It cannot be shown.</exception>
    public static Classification Check(Classification result) => Require(result, !result.Scores.Contains(null!), "scores");

    /// <exception cref="JsonException">It cannot be shown.</exception>
    public static TelemetryWindow Check(TelemetryWindow window)
    {
        Require(window, window.WindowSeconds is > 0 and <= MostSeconds, "windowSeconds");
        Require(window, IsShown(window.FramesPerSecond) && IsShown(window.Thermal.Celsius), "framesPerSecond or celsius");
        Require(window, IsCount(window.Frames.Dropped) && IsCount(window.Frames.Stale) && IsCount(window.Frames.Late) && IsCount(window.Frames.Corrupt), "frames");
        Require(window, IsShown(window.Energy.Measured?.JoulesPerInference) && IsShown(window.Energy.Estimated?.JoulesPerInference), "joulesPerInference");
        Require(window, window.Latency.Milliseconds is not { } ms || (IsShown(ms.P50) && IsShown(ms.P95) && IsShown(ms.P99)), "milliseconds");
        return Require(window, LatencyMath.Problem(window.Latency.Histogram) is null && LatencyMath.Count(window.Latency.Histogram) <= MostCount, "histogram");
    }

    private static bool IsShown(double? number) => number is null or (>= -Most and <= Most);

    private static bool IsCount(long number) => number is >= 0 and <= MostCount;

    private static T Require<T>(T message, bool isSound, string what) => isSound ? message : throw new JsonException($"The {what} cannot be shown.");
}
