using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.Optimizer.Tests.Search;
using Dunlin.Optimizer.Tests.Training;
using Dunlin.Optimizer.Training;
using Dunlin.TestKit.Machine;

namespace Dunlin.Optimizer.Tests.Pruning;

public sealed class PruneCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-prune").FullName;

    private string Model => Path.Combine(_folder, "net.onnx");

    private string Pruned => Path.Combine(_folder, "pruned.onnx");

    [Fact]
    public async Task TheFileTellsWhatWasDoneAndTheCommandWhatItBought()
    {
        ModelFile.Save(Zoo.Build("mobilenet-v2"), Model);
        var labels = Enumerable.Range(0, Zoo.Classes).Select(i => $"class {i}").ToList();
        await File.WriteAllLinesAsync(Path.ChangeExtension(Model, ".labels.txt"), labels, TestContext.Current.CancellationToken);
        var (code, output, error) = await Run("--ratio", "0.4", "--importance", "l1", "--scope", "layer", "--step", "4");

        Assert.Equal((0, ""), (code, error));
        Assert.Contains("parameters", output);
        Assert.Contains("steps of 4", output);
        Assert.DoesNotContain("channels stay", output);
        var model = ModelFile.Load(Pruned);
        var technique = Assert.Single(Provenance.Of(model));
        Assert.Equal(("pruned", "l1", "layer", "0.4"), (technique.Kind, technique.Parameters["importance"], technique.Parameters["scope"], technique.Parameters["ratio"]));
        Assert.Contains($"{GraphFacts.Of(model).ParameterCount}", output);
        Assert.Contains(model.MetadataProps, p => p.Key == "author");
        Assert.Equal(labels, LabelMark.Of(model));
    }

    [Fact]
    public async Task AnOperatorThatKeepsChannelsFromBeingPrunedIsNamed()
    {
        var net = new NetBuilder(seed: 6);
        var x = net.Conv(net.Relu(net.Conv(net.Conv(NetBuilder.Image, 16), 8)), 8);
        x = net.Binary("Add", x, net.Conv(x, 8));
        x = net.Add("LpNormalization", [x], net.ShapeOf(x), Nodes.Int("axis", 1));
        ModelFile.Save(net.Build(net.Linear(net.Mean(x), 4)), Model);

        var (code, output, error) = await Run("--ratio", "0.5", "--step", "1");

        Assert.Equal((0, ""), (code, error));
        Assert.Equal([$"8 channels stay: Node '{x}' (LpNormalization) needs all of them"], output.Split('\n').Where(line => line.Contains("channels stay", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task RoundsRemoveTheRatioTogetherAndTheModelIsTrainedAfterEach()
    {
        Torch.Require();
        var data = Path.Combine(_folder, "data");
        SearchLab.Write(data, 240);
        ModelFile.Save(ResidualGraph.Build(new ResidualSpec([16, 32], [1, 1], StemStride: 2, ClassCount: 3), [1, 1, 28, 28], seed: 1), Model);
        var before = GraphFacts.Of(ModelFile.Load(Model));

        var (code, output, error) = await Run("--ratio", "0.6", "--scope", "layer", "--step", "1", "--rounds", "2", "--recover", "1", "--data", data);

        Assert.Equal((0, ""), (code, error));
        Assert.Equal(2, output.Split('\n').Count(line => line.StartsWith("epoch ", StringComparison.Ordinal)));
        var model = ModelFile.Load(Pruned);
        Assert.Equal(["pruned", "distilled"], Provenance.Of(model).Select(t => t.Kind));
        Assert.Equal("2", Provenance.Of(model)[0].Parameters["rounds"]);
        // Two fifths of the channels on both sides of most weights.
        Assert.InRange((double)GraphFacts.Of(model).ParameterCount / before.ParameterCount, 0.4 * 0.3, 0.4 * 0.6);
        Assert.Empty(Directory.GetFiles(_folder, "*.checkpoint"));
        var untrained = Path.Combine(_folder, "untrained.onnx");
        Assert.Equal(0, (await CommandRun.Of(["prune", Model, "--ratio", "0.6", "--scope", "layer", "--step", "1", "--out", untrained])).Code);
        Assert.NotEqual(WeightsOf(untrained), WeightsOf(Pruned));
    }

    [Fact]
    public async Task RoundsThatWereInterruptedGoOnWhereTheyWere()
    {
        Torch.Require();
        var data = Path.Combine(_folder, "data");
        SearchLab.Write(data, 240);
        ModelFile.Save(ResidualGraph.Build(new ResidualSpec([8], [1], StemStride: 2, ClassCount: 3), [1, 1, 28, 28], seed: 1), Model);
        string[] arguments = ["prune", Model, "--ratio", "0.6", "--scope", "layer", "--step", "1", "--rounds", "2", "--recover", "60", "--data", data, "--out", Pruned];
        using (var stopped = OptimizerProcess.Start(arguments))
        {
            var second = Path.ChangeExtension(Pruned, ".2.checkpoint");
            await stopped.Until(() => File.Exists(second));
            ProcessTable.Signal(stopped.Id, "INT");
            Assert.Equal(130, await stopped.Ended());
            Assert.Contains($"what is done is kept in '{second}'", await stopped.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        }

        Assert.False(File.Exists(Pruned));
        var (code, output, error) = await CommandRun.Of(arguments);

        Assert.Equal((0, ""), (code, error));
        // Nothing of the first round, and the rest of the second.
        var epochs = output.Split('\n').Where(line => line.StartsWith("epoch ", StringComparison.Ordinal)).ToList();
        Assert.InRange(epochs.Count, 1, 59);
        Assert.DoesNotContain(epochs, line => line.StartsWith("epoch   1 ", StringComparison.Ordinal));
        Assert.Empty(Directory.GetFiles(_folder, "*.checkpoint"));
    }

    [Theory]
    [InlineData("--ratio .3 --bfloat16", "--bfloat16 is for --recover")]
    [InlineData("--ratio 0", "above 0 and below 1")]
    [InlineData("--ratio .3 --rounds 2", "needs --recover")]
    [InlineData("--ratio .3 --rounds 0 --recover 1", "from 1 to 100")]
    [InlineData("--ratio 1", "above 0 and below 1")]
    [InlineData("--ratio .3 --step 0", "from 1 to 256")]
    public async Task AWrongValueIsNamedAndNothingIsWritten(string line, string expected)
    {
        ModelFile.Save(Zoo.Build("vgg"), Model);
        var (code, _, error) = await Run(line.Split(' '));
        Assert.Equal(1, code);
        Assert.Contains(expected, error);
        Assert.False(File.Exists(Pruned));
    }

    private static byte[] WeightsOf(string path) => [.. ModelFile.Load(path).Graph.Initializer.SelectMany(tensor => tensor.RawData)];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Task<CommandRun> Run(params string[] arguments) => CommandRun.Of(["prune", Model, "--out", Pruned, .. arguments]);
}
