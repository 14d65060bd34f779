using System.Text.Json;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.Optimizer.Tests.Training;
using Dunlin.Optimizer.Training;
using Google.Protobuf;

namespace Dunlin.Optimizer.Tests.Quantization;

public sealed class QuantizeCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-quantize").FullName;

    [Fact]
    public async Task TheReportSaysWhatWasFusedAndTheSameSeedGivesTheSameGraph()
    {
        Assert.SkipUnless(Directory.Exists(FashionMnist.DebianFolder), "the Debian package dataset-fashion-mnist is not installed");
        var model = FoldedResidual.Make(new ResidualSpec([16, 32], [1, 1], StemStride: 2, ClassCount: 10));
        ModelFile.Save(model, Path.Combine(_folder, "net.onnx"));
        using var report = JsonDocument.Parse(await Run("first.onnx", "--json", "--sensitivity"));
        var root = report.RootElement;
        var convolutions = model.Graph.Node.Count(n => n.OpType == "Conv");
        Assert.Equal(convolutions, root.GetProperty("fusion").GetProperty("kernels").GetProperty("QLinearConv").GetInt32());
        Assert.Equal(convolutions + 1, root.GetProperty("sensitivities").GetArrayLength());
        Assert.Equal(32, root.GetProperty("checkImageCount").GetInt32());
        Assert.Equal(new FileInfo(Path.Combine(_folder, "first.onnx")).Length, root.GetProperty("byteCount").GetInt64());

        Assert.Contains("QLinearConv", await Run("second.onnx"));
        Assert.Equal(Graph("first.onnx"), Graph("second.onnx"));
        await Run("third.onnx", "--seed", "2");
        Assert.NotEqual(Graph("first.onnx"), Graph("third.onnx"));
    }

    [Fact]
    public async Task ALimitThatIsNotHeldIsSaidAndEndsWithOne()
    {
        Assert.SkipUnless(Directory.Exists(FashionMnist.DebianFolder), "the Debian package dataset-fashion-mnist is not installed");
        var net = new NetBuilder(seed: 3, channels: 1, side: 28);
        ModelFile.Save(net.Build(net.Linear(net.Flatten(NetBuilder.Image), Zoo.Classes)), Path.Combine(_folder, "net.onnx"));
        var run = await Start("result.onnx", "--images", "32", "--target", "x64-avx2", "--check-images", "1000", "--limit", "agreement>=100");
        Assert.Equal(1, run.Code);
        Assert.Contains("The limit does not hold", run.Output);
        Assert.True(File.Exists(Path.Combine(_folder, "result.onnx")));
    }

    [Fact]
    public async Task WeightsAreTrainedWhereItIsAskedForAndTheLimitDoesNotHoldWithoutIt()
    {
        Torch.Require();
        var net = new NetBuilder(seed: 3, side: 16);
        ModelFile.Save(net.Build(net.Linear(net.Mean(net.ConvNormRelu(NetBuilder.Image, 8, 3, 2)), 3)), Path.Combine(_folder, "net.onnx"));
        Data.Pictures.WriteFolders(Path.Combine(_folder, "data"), perClass: 80);
        var split = Path.Combine(_folder, "cut.json");
        Assert.Equal(0, (await CommandRun.Of("split", "--data", Path.Combine(_folder, "data"), "--out", split)).Code);
        Assert.Equal(1, await Epochs("new/trained.onnx", "--split", split));
        Assert.Equal(0, await Epochs("held.onnx", "--limit", "agreement>=0"));

        async Task<int> Epochs(string result, params string[] more)
        {
            using var report = JsonDocument.Parse(await Run(result, ["--data", Path.Combine(_folder, "data"), "--qat-epochs", "1", "--images", "16", "--check-images", "16", "--json", .. more]));
            return report.RootElement.GetProperty("trainingEpochCount").GetInt32();
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ByteString Graph(string name) => ModelFile.Load(Path.Combine(_folder, name)).Graph.ToByteString();

    private async Task<string> Run(string result, params string[] more)
    {
        var run = await Start(result, more.Contains("--images") ? more : ["--images", "32", "--check-images", "32", .. more]);
        Assert.Equal(0, run.Code);
        return run.Output;
    }

    private Task<CommandRun> Start(string result, params string[] more) =>
        CommandRun.Of(["quantize", Path.Combine(_folder, "net.onnx"), "--out", Path.Combine(_folder, result), .. more]);
}
