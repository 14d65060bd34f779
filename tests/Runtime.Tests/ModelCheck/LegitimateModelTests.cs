using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.ModelCheck;
using Dunlin.TestKit;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Runtime.Tests.ModelCheck;

[Collection(nameof(AloneInTheProcess))]
public sealed class LegitimateModelTests
{
    [Fact]
    public void EveryModelThatTheTestsMakePasses()
    {
        Walked.Accept(OnnxModels.Tiny());
        Walked.Accept(OnnxModels.Tiny(openBatch: true));
        Walked.Accept(OnnxModels.Tiny(depth: 3));
        var bytes = OnnxModels.Tiny(uint8: true);
        Walked.Accept(bytes, Walked.Claims(bytes.Length, type: ElementType.UInt8));
        var channels = OnnxModels.BrightestChannel();
        Walked.Accept(channels, Walked.Claims(channels.Length, classes: 3));
        Walked.Accept(OnnxModels.NotANumber());
        var heavy = OnnxModels.Heavy(20);
        Assert.InRange(Walked.Accept(heavy, Walked.Claims(heavy.Length, 7)).WeightByteCount, 20_000_000, heavy.Length);
    }

    [Fact]
    public void EveryVariantOfTheDemoBundlePasses()
    {
        var folder = RepositoryFolder.Find("demo/bundle");
        if (folder is null) Assert.Skip("demo/bundle is not there.");
        var bundle = Bundle.Open(folder);
        foreach (var variant in bundle.Manifest.Variants)
        {
            var found = ModelWalk.Check(new CheckModel
            {
                ModelPath = bundle.PathOf(variant),
                ByteCount = variant.Blob.Size,
                Operators = variant.Operators,
                Input = bundle.Manifest.Input,
                Output = bundle.Manifest.Output,
                ClassCount = bundle.Labels.Count,
            });
            Assert.True(found.NodeCount > 10);
        }
    }

    [Fact]
    public void MobileNetV2PassesInMillisecondsAndAlmostNoMemory()
    {
        var folder = RepositoryFolder.FindShared("data/imagenet");
        if (folder is null) Assert.Skip("shared/data/imagenet with MobileNetV2 is not on this machine.");
        var path = Path.Combine(folder, "mobilenet_v2.onnx");
        var claims = new CheckModel
        {
            ModelPath = path,
            ByteCount = new FileInfo(path).Length,
            Operators = ["Add", "Clip", "Constant", "Conv", "Flatten", "Gemm", "GlobalAveragePool", "Identity", "ReduceMean", "Reshape", "Softmax"],
            Input = Preprocessing.Inputs.MobileNet,
            Output = new OutputSpec { Tensor = "output", Activation = Activation.Softmax },
            ClassCount = 1001,
        };
        ModelWalk.Check(claims);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var started = Environment.CpuUsage.TotalTime;
        var found = ModelWalk.Check(claims);
        var cpu = Environment.CpuUsage.TotalTime - started;
        TestContext.Current.TestOutputHelper?.WriteLine($"{found}: {cpu.TotalMilliseconds} ms, {GC.GetAllocatedBytesForCurrentThread() - before} bytes");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000_000);
        Assert.InRange(cpu.TotalMilliseconds, 0, 1000);
    }

    [Fact]
    public void TheNewestVersionsThatAreAllowedAreTheNewestThatThisOnnxRuntimeLoads()
    {
        Assert.True(Loads(Minimal().ToModel(OnnxVersions.OldestIr, OnnxVersions.OldestOpset)));
        Assert.Equal((OnnxVersions.NewestIr, OnnxVersions.NewestOpset),
            (Enumerable.Range(0, 40).Last(ir => Loads(Minimal().ToModel(ir: ir))), Enumerable.Range(0, 40).Last(opset => Loads(Minimal().ToModel(opset: opset)))));
    }

    private static OnnxGraph Minimal() => new OnnxGraph().Input(OnnxModels.Input, OnnxType.Float, 1, 3).Output(OnnxModels.Output, OnnxType.Float, 1, 3)
        .Node("Relu", [OnnxModels.Input], [OnnxModels.Output]);

    private static bool Loads(byte[] model)
    {
        try
        {
            _ = Dunlin.Runtime.Sessions.OnnxEnvironment.Instance;
            using var session = new Microsoft.ML.OnnxRuntime.InferenceSession(model);
            return true;
        }
        catch (Microsoft.ML.OnnxRuntime.OnnxRuntimeException)
        {
            return false;
        }
    }
}
