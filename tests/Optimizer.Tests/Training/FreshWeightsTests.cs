using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Tests.Training;

public sealed class FreshWeightsTests
{
    [Fact]
    public void TheyAreThoseOfANetworkThatWasNeverTrained()
    {
        var spec = new ResidualSpec([8, 16], [1, 2], StemStride: 1, ClassCount: 10) { HasBottlenecks = true };
        var other = ResidualGraph.Build(spec, [1, 1, 28, 28], seed: 2);
        FreshWeights.Draw(other.Graph, seed: 1);
        Assert.Equal(ResidualGraph.Build(spec, [1, 1, 28, 28], seed: 1), other);
    }

    [Theory]
    [MemberData(nameof(Zoo.All), MemberType = typeof(Zoo))]
    public void NoFilterAndNoMatrixOfAnyNetworkStays(string name)
    {
        var before = ModelGraph.Of(Zoo.Build(name));
        var after = ModelGraph.Of(Zoo.Build(name));
        FreshWeights.Draw(after.Model.Graph, seed: 1);
        after.Changed();
        var weights = before.Nodes.Where(n => n.OpType is "Conv" or "Gemm" or "MatMul").Select(n => before.Constant(n.Input[1])!).ToList();
        Assert.NotEmpty(weights);
        Assert.All(weights, old => Assert.NotEqual(Tensors.Floats(old), Tensors.Floats(after.Constant(old.Name)!)));
        Assert.All(weights, old => Assert.Equal(old.Dims, after.Constant(old.Name)!.Dims));
        Assert.All(weights, old => Assert.InRange(Tensors.Floats(after.Constant(old.Name)!).Max(Math.Abs), 1e-6, 5));
    }
}
