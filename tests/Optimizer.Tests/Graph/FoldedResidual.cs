using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Training;
using Onnx;

namespace Dunlin.Optimizer.Tests.Graph;

/// <summary>A residual network as training leaves it and folding makes it, with statistics and offsets that matter.</summary>
internal static class FoldedResidual
{
    public static ModelProto Make(ResidualSpec spec, int side = 28, int seed = 3)
    {
        var model = ResidualGraph.Build(spec, [1, 1, side, side], seed);
        var random = new Random(seed);
        foreach (var tensor in model.Graph.Initializer.Where(i => i.Name.Contains(".norm.", StringComparison.Ordinal)))
        {
            var (low, high) = tensor.Name.Split('.')[^1] switch
            {
                "weight" => (0.5, 1.5),
                "variance" => (0.5, 2.0),
                _ => (-0.3, 0.3),
            };
            float[] values = [.. Enumerable.Range(0, (int)tensor.Dims[0]).Select(_ => (float)(low + random.NextDouble() * (high - low)))];
            tensor.RawData = Tensors.Of("", values, values.Length).RawData;
        }

        var graph = ModelGraph.Of(model);
        BatchNormFolding.Apply(graph);
        return graph.Model;
    }
}
