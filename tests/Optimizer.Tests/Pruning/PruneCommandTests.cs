using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;

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

    [Theory]
    [InlineData("--ratio 0", "above 0 and below 1")]
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

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Task<CommandRun> Run(params string[] arguments) => CommandRun.Of(["prune", Model, "--out", Pruned, .. arguments]);
}
