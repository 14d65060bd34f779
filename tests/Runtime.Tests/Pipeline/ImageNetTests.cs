using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Pipeline;
using Dunlin.Runtime.Sessions;
using Dunlin.Runtime.Tests.Preprocessing;

namespace Dunlin.Runtime.Tests.Pipeline;

public sealed class ImageNetTests
{
    private static readonly string Folder = Path.Combine(
        Environment.GetEnvironmentVariable("DUNLIN_SHARED") ?? "/work/shared", "data", "imagenet");

    [Fact]
    public void MobileNetNamesFourOfFivePhotographsThroughOurOwnPreprocessing()
    {
        if (!Directory.Exists(Folder)) Assert.Skip($"'{Folder}' with MobileNetV2 and photographs is not on this machine");
        var rows = File.ReadLines(Path.Combine(Folder, "labels.csv")).Skip(1).Select(line => line.Split(',')).ToArray();
        var spec = new SessionSpec
        {
            ModelPath = Path.Combine(Folder, "mobilenet_v2.onnx"),
            Saved = false,
            Release = Digest.Of("imagenet"u8),
            Contender = new ContenderId("fp32", Providers.Cpu, 1),
            Input = Inputs.MobileNet,
            Output = new OutputSpec { Tensor = "output", Activation = Activation.Softmax },
            Labels = [.. File.ReadLines(Path.Combine(Folder, "labels.txt"))],
        };
        using var slot = new NewestFrameSlot();
        using var session = ModelSession.Create(spec);
        var log = new ResultLog();
        using var pipeline = new FramePipeline(slot, session, spec.Input, new LoopSpec { WindowMilliseconds = 1000 }, log);
        using (new LosslessCamera(slot, rows.Length, i => File.ReadAllBytes(Path.Combine(Folder, "images", rows[i][0]))))
            pipeline.Run(TestContext.Current.CancellationToken);
        Assert.Equal((500, 0), (pipeline.Counts.Classified, pipeline.Counts.Corrupt));
        var right = 0;
        foreach (var entry in log.Entries)
            if (entry.Best.ToString(System.Globalization.CultureInfo.InvariantCulture) == rows[entry.Number][1]) right++;
        TestContext.Current.TestOutputHelper?.WriteLine($"{right} of {log.Count} right");
        Assert.InRange(right, 380, 410);
    }
}
