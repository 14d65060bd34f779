using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Inspection;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Graph.Nets;

namespace Dunlin.Optimizer.Tests.Inspection;

public sealed class LayerTableTests
{
    [Theory]
    [InlineData("resnet-bottleneck")]
    [InlineData("mobilenet-v2")]
    [InlineData("mobilenet-v3")]
    [InlineData("densenet")]
    [InlineData("inception")]
    [InlineData("keras-mobilenet")]
    public void EachLayerIsFoundAgainAmongTheKernelsThatRun(string name)
    {
        var graph = ModelGraph.Of(Zoo.Build(name));
        var table = LayerTable.Of(graph);
        Assert.Equal(graph.Nodes.Count(n => n.OpType is "Conv" or "Gemm" or "MatMul"), table.Layers.Count);
        Assert.All(table.Layers, l => Assert.NotEqual("", l.Kernel));
        Assert.Equal(GraphFacts.Of(graph).Macs, table.Layers.Sum(l => l.Macs));
        Assert.False(table.IsQuantized);
        Assert.Empty(table.Unfused);
    }

    [Fact]
    public void WeightsOfAQuantizedLayerCountAndItsKernelIsAnIntegerOne()
    {
        var graph = ModelGraph.Of(Zoo.Build("resnet-basic"));
        var images = Quantization.Pictures.Make(graph.Model, 8, seed: 1);
        var quantized = ModelGraph.Of(PostTraining.Calibrate(graph, images, new QuantizationOptions(), TestContext.Current.CancellationToken).Quantize(new HashSet<string>(), TestContext.Current.CancellationToken).Model);
        var (before, after) = (LayerTable.Of(graph), LayerTable.Of(quantized));
        Assert.True(after.IsQuantized);
        Assert.All(after.Layers, l => Assert.True(KernelProfile.IsInteger(l.Kernel), $"{l.Name} {l.Kernel}"));
        Assert.Empty(after.Unfused);
        Assert.Equal(before.Layers.Select(l => l.Name), after.Layers.Select(l => l.Name));
        Assert.InRange((double)after.Layers.Sum(l => l.ParameterCount) / before.Layers.Sum(l => l.ParameterCount), 0.99, 1.05);
        Assert.InRange((double)after.Layers.Sum(l => l.ByteCount) / before.Layers.Sum(l => l.ByteCount), 0.25, 0.35);
    }
}
