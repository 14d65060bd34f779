using System.Runtime.InteropServices;
using Dunlin.Optimizer.Graph;
using Google.Protobuf;
using Onnx;

namespace Dunlin.Optimizer.Training;

/// <summary>
/// Weights of a network that was never trained, in the place of those that a graph has: filters as of He et al. 2015, by the
/// outputs; matrices uniform within one over the root of their inputs; normalization that changes nothing yet. Other constants stay.
/// </summary>
internal sealed class FreshWeights
{
    private readonly Dictionary<string, TensorProto> _left;
    private readonly Random _random;

    private FreshWeights(GraphProto graph, int seed) => (_left, _random) = (graph.Initializer.ToDictionary(t => t.Name), new Random(seed));

    /// <param name="graph">Is changed.</param>
    /// <param name="seed">Another seed, other weights.</param>
    public static void Draw(GraphProto graph, int seed)
    {
        var weights = new FreshWeights(graph, seed);
        foreach (var node in graph.Node) weights.Draw(node);
    }

    private void Draw(NodeProto node)
    {
        switch (Nodes.OperatorOf(node))
        {
            case "Conv" when Take(node, 1) is { } filters:
                var deviation = Math.Sqrt(2.0 * Nodes.IntOf(node, "group", 1) / (Tensors.ElementCount(filters) / filters.Dims[1]));
                Fill(filters, () => Normal() * deviation);
                Fill(Take(node, 2), () => 0);
                break;
            case "Gemm" or "MatMul" when Take(node, 1) is { Dims.Count: 2 } matrix:
                var bound = 1 / Math.Sqrt(matrix.Dims[Nodes.IntOf(node, "transB", 0) == 1 ? 1 : 0]);
                Fill(matrix, () => (_random.NextDouble() * 2 - 1) * bound);
                Fill(Take(node, 2), () => (_random.NextDouble() * 2 - 1) * bound);
                break;
            case "BatchNormalization":
                foreach (var (index, value) in (ReadOnlySpan<(int, double)>)[(1, 1), (2, 0), (3, 0), (4, 1)]) Fill(Take(node, index), () => value);
                break;
        }
    }

    // What several nodes read is drawn once.
    private TensorProto? Take(NodeProto node, int index) =>
        Nodes.InputOf(node, index) is { } name && _left.Remove(name, out var tensor) && tensor.DataType == (int)TensorProto.Types.DataType.Float ? tensor : null;

    private static void Fill(TensorProto? tensor, Func<double> draw)
    {
        if (tensor is null) return;
        var values = new float[Tensors.ElementCount(tensor)];
        for (var i = 0; i < values.Length; i++) values[i] = (float)draw();
        tensor.FloatData.Clear();
        tensor.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(values));
    }

    // Box and Muller 1958.
    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
