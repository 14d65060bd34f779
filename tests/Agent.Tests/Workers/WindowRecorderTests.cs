using Dunlin.Agent.Worker;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Pipeline;
using Dunlin.Telemetry.Latencies;
using Dunlin.TestKit.Samples;

namespace Dunlin.Agent.Tests.Workers;

public sealed class WindowRecorderTests
{
    private const double ConfiguredFramesPerSecond = 30, Seconds = 20, WorkMilliseconds = 5, StallMilliseconds = 2000;

    /// <summary>Of each frame that the camera delivered there is one value, whether it was classified or waited out a stall.</summary>
    [Theory]
    [InlineData(15)]
    [InlineData(30)]
    [InlineData(60)]
    public void AStallCountsForTheFramesThatTheCameraDeliveredMeanwhileWhateverWasConfigured(double framesPerSecond)
    {
        var captured = Captured(framesPerSecond, pauseAfter: int.MaxValue);
        var window = Window(captured);
        Assert.InRange(LatencyMath.Count(window.Latency), 0.97 * captured.Length, 1.03 * captured.Length);
        Assert.InRange(LatencyMath.Percentile(window.Latency, 99)!.Value, 0.85 * StallMilliseconds, 1.02 * StallMilliseconds);
    }

    [Fact]
    public void AStandstillOfTheCameraJustBeforeIsNotTakenForItsPace()
    {
        var captured = Captured(framesPerSecond: 15, pauseAfter: 149);
        Assert.InRange(LatencyMath.Count(Window(captured).Latency), 0.97 * captured.Length, 1.03 * captured.Length);
    }

    // Milliseconds.
    private static double[] Captured(double framesPerSecond, int pauseAfter) =>
        [.. Enumerable.Range(0, (int)(Seconds * framesPerSecond)).Select(i => i * 1000 / framesPerSecond + (i > pauseAfter ? 5000 : 0))];

    // The slot keeps the newest frame; the work on one in the middle stalls.
    private static FrameWindow Window(double[] captured)
    {
        var recorder = new WindowRecorder(classCount: 2, TimeSpan.FromSeconds(1 / ConfiguredFramesPerSecond), TimeProvider.System);
        var free = 0.0;
        for (var i = 0; i < captured.Length; i++)
        {
            if (i + 1 < captured.Length && free >= captured[i + 1]) continue;
            free = Math.Max(free, captured[i]) + (i == captured.Length / 2 ? StallMilliseconds : WorkMilliseconds);
            Record(recorder, i, captured[i], free - captured[i]);
        }

        return recorder.Take(default, [], session: 0, SampleMessages.Camera);
    }

    private static void Record(WindowRecorder recorder, long number, double capturedMilliseconds, double totalMilliseconds) => recorder.Record(new FrameOutcome
    {
        Number = number,
        CapturedNanoseconds = (long)(capturedMilliseconds * 1e6),
        Contender = new ContenderId("int8", "CPUExecutionProvider", 1),
        WaitNanoseconds = 0,
        PreprocessNanoseconds = 0,
        InferenceNanoseconds = (long)(totalMilliseconds * 1e6),
        PostprocessNanoseconds = 0,
        TotalNanoseconds = (long)(totalMilliseconds * 1e6),
        Scores = [],
    });
}
