using System.CommandLine;
using System.Text.Json;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;

namespace Dunlin.Optimizer.Tests.Inspection;

public sealed class InspectCommandTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    [Fact]
    public async Task LayersTotalsAndPrunableChannelsAreThoseOfTheArithmetic()
    {
        var net = new NetBuilder(seed: 1, side: 8);
        var x = net.Relu(net.Conv(NetBuilder.Image, 4));
        x = net.Conv(net.Conv(x, 4, group: 4), 6, 1, bias: false);
        ModelFile.Save(net.Build(net.Linear(net.Flatten(x), 5)), _path);

        using var document = JsonDocument.Parse((await CommandRun.Of("inspect", _path, "--json")).Output);
        var root = document.RootElement;

        Assert.Equal(8 * 8 * (4 * 27 + 4 * 9 + 6 * 4) + 384 * 5, root.GetProperty("macs").GetInt64());
        Assert.Equal(4 * 27 + 4 + 4 * 9 + 4 + 6 * 4 + 384 * 5 + 5, root.GetProperty("parameterCount").GetInt64());
        Assert.Equal(root.GetProperty("parameterCount").GetInt64() * 4, root.GetProperty("byteCount").GetInt64());
        Assert.Equal(["Conv", "Relu", "Conv", "Conv", "Flatten", "Gemm"], root.GetProperty("layers").EnumerateArray().Select(l => l.GetProperty("operator").GetString()));
        Assert.Equal([1, 6, 8, 8], root.GetProperty("layers")[3].GetProperty("outputShape").EnumerateArray().Select(d => d.GetInt32()));
        var groups = root.GetProperty("channelGroups").EnumerateArray().ToList();
        // The depthwise convolution and the one before it stand or fall together; classes stay.
        Assert.Equal([(2, 4, false), (1, 6, false), (1, 5, true)], groups.Select(g =>
            (g.GetProperty("layers").GetArrayLength(), g.GetProperty("channelCount").GetInt32(), g.GetProperty("whyFixed").ValueKind == JsonValueKind.String)));
    }

    [Fact]
    public async Task PeopleGetTablesWithTotalsAndReasons()
    {
        ModelFile.Save(Zoo.Build("resnet-basic"), _path);
        var (code, output, _) = await CommandRun.Of("inspect", _path);
        Assert.Equal(0, code);
        Assert.Contains("image 1×3×32×32, any batch → ", output);
        Assert.Contains("ai.onnx 17, IR 8, written by tests", output);
        Assert.Contains("no: they are the model's classes", output);
        Assert.Contains("total", output);
    }

    [Fact]
    public async Task AnOpenShapeIsAskedForAndTaken()
    {
        var model = Zoo.Build("resnet-bottleneck");
        foreach (var axis in new[] { 2, 3 }) model.Graph.Input[0].Type.TensorType.Shape.Dim[axis].DimParam = "side";
        ModelFile.Save(model, _path);

        Assert.Contains("--input-shape", (await CommandRun.Of("inspect", _path)).Error);
        Assert.Equal(0, (await CommandRun.Of("inspect", _path, "--input-shape", "1x3x32x32")).Code);
    }

    [Fact]
    public void SimplifyingChangesNeitherParametersNorOperations()
    {
        var facts = GraphFacts.Of(Zoo.Build("mobilenet-v3"));
        var simplified = GraphFacts.Of(ModelGraph.Of(Zoo.Build("mobilenet-v3")));
        Assert.Equal((facts.ParameterCount, facts.Macs), (simplified.ParameterCount, simplified.Macs));
    }

    public void Dispose() => File.Delete(_path);
}
