using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.TestKit.Samples;

namespace Dunlin.Agent.Tests.Updates;

/// <summary>What a worker says.</summary>
internal static class SampleWindows
{
    public static FrameWindow Good(int classified = 10, double p95Milliseconds = 2) => new()
    {
        WindowSeconds = 1,
        Frames = new FrameCounts { Captured = classified, Classified = classified, Dropped = 0, Stale = 0, Corrupt = 0 },
        Latency = Histogram(p95Milliseconds, classified),
        Stages = new Dictionary<string, Histogram> { ["inference"] = Histogram(p95Milliseconds, classified) },
        Classes = new Dictionary<int, long> { [0] = classified },
        Confidence = [0, 0, 0, 0, 0, 0, 0, 0, 0, classified],
        Camera = SampleMessages.Camera,
        NonFiniteCount = 0,
        CpuSeconds = 0.1,
        AllocatedByteCount = 0,
    };

    public static SessionSpec Session(Digest release) => new()
    {
        ModelPath = "/model.onnx",
        Saved = true,
        Release = release,
        Contender = SampleMessages.Contender,
        Input = SampleDocuments.Manifest().Input,
        Output = SampleDocuments.Manifest().Output,
        Labels = ["shirt", "coat", "bag"],
    };

    private static Histogram Histogram(double milliseconds, long count) =>
        new() { Unit = "us", SignificantDigits = Contracts.Messages.Histogram.StandardDigits, Buckets = count == 0 ? [] : [(long)(milliseconds * 1000), count] };
}
