using System.CommandLine;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;

namespace Dunlin.Optimizer.Tests.Graph;

public sealed class CommandLineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-lines").FullName;

    [Theory]
    [InlineData("prune net.onnx --ratio 0.3 --out small.onnx", "dunlin-optimizer prune net.onnx --ratio 0.3 --out small.onnx")]
    [InlineData("prune /home/somebody/secret/net.onnx --ratio=0.3 --out a/../b.onnx", "dunlin-optimizer prune net.onnx --ratio 0.3 --out a/../b.onnx")]
    [InlineData("evaluate net.onnx --data /usr/share/datasets/fashion-mnist", "dunlin-optimizer evaluate net.onnx --data /usr/share/datasets/fashion-mnist")]
    [InlineData("evaluate net.onnx --data /home/somebody/garments/", "dunlin-optimizer evaluate net.onnx --data garments")]
    public void PrivateFoldersAreLeftOut(string line, string expected) => Assert.Equal(expected, Of(line.Split(' ')));

    [Fact]
    public void WhatAShellWouldSplitIsQuoted() =>
        Assert.Equal(@"dunlin-optimizer quantize 'my net.onnx' --out q.onnx --limit 'agreement>=99' --data 'it'\''s'", Of("quantize", "my net.onnx", "--out", "q.onnx", "--limit", "agreement>=99", "--data", "it's"));

    [Fact]
    public async Task AModelRemembersTheCommandsThatMadeItInOrder()
    {
        var (first, second, third) = (At("first.onnx"), At("second.onnx"), At("third.onnx"));
        ModelFile.Save(Zoo.Build("resnet-basic"), first);
        Assert.Equal(0, (await CommandRun.Of("prune", first, "--ratio", "0.2", "--step", "1", "--out", second)).Code);
        Assert.Equal(0, (await CommandRun.Of("prune", second, "--ratio", "0.1", "--step", "1", "--out", third)).Code);
        Assert.Equal(
            ["dunlin-optimizer prune first.onnx --ratio 0.2 --step 1 --out second.onnx", "dunlin-optimizer prune second.onnx --ratio 0.1 --step 1 --out third.onnx"],
            Provenance.CommandsOf(ModelFile.Load(third)));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Of(params string[] arguments) => CommandLine.Of(OptimizerCommand.Create().Parse(arguments));
    private string At(string name) => Path.Combine(_folder, name);
}
