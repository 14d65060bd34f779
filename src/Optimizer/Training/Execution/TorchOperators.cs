using Dunlin.Optimizer.Graph;
using Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training.Execution;

/// <summary>A node's work: its inputs, with nothing where one is left out, to its outputs.</summary>
internal delegate Tensor[] TorchOperation(Tensor[] inputs);

/// <summary>ONNX's operators in torch, with gradients.</summary>
internal static class TorchOperators
{
    /// <exception cref="InvalidDataException">The operator, or this use of it, is not known here.</exception>
    public static TorchOperation Compile(NodeProto node, ModelGraph graph, GraphNetwork network)
    {
        if (node.Domain is not ("" or "ai.onnx")) throw Unknown(node);
        if (node.OpType == "Split") return TorchShapes.Split(node, graph);
        var single = Elementwise(node, graph) ?? Layer(node, graph, network) ?? TorchWindows.Compile(node, graph) ?? TorchShapes.Compile(node, graph) ?? throw Unknown(node);
        return inputs => [single(inputs)];
    }

    /// <summary>How a use of a known operator is refused.</summary>
    public static InvalidDataException Unsupported(NodeProto node, string why) => new($"{Nodes.Named(node)} cannot be trained: {why}.");

    private static InvalidDataException Unknown(NodeProto node) =>
        new($"{Nodes.Named(node)} cannot be trained: the operator is not known here. Pruning and quantizing pass it through.");

    private static Func<Tensor[], Tensor>? Elementwise(NodeProto node, ModelGraph graph)
    {
        float Of(string name, float absent) => Nodes.FloatOf(node, name, absent);
        return node.OpType switch
        {
            "Relu" => InPlace(node, graph) ? x => x[0].relu_() : x => x[0].relu(),
            "LeakyRelu" => x => x[0].leaky_relu(Scalars.Of(Of("alpha", 0.01f))),
            "PRelu" => x => x[0].clamp(min: Scalars.Of(0)).add(x[0].clamp(max: Scalars.Of(0)).mul(x[1]), Scalars.Of(1)),
            "Clip" => Clip(node, graph),
            "Sigmoid" => x => x[0].sigmoid(),
            "HardSigmoid" => x => x[0].mul(Scalars.Of(Of("alpha", 0.2f))).add(Scalars.Of(Of("beta", 0.5f)), Scalars.Of(1)).clamp(Scalars.Of(0), Scalars.Of(1)),
            "HardSwish" => x => x[0].hardswish(),
            "Elu" => x => x[0].elu(Scalars.Of(Of("alpha", 1)), Scalars.Of(1), Scalars.Of(1)),
            "Tanh" => x => x[0].tanh(),
            "Softplus" => x => Softplus(x[0]),
            "Mish" => x => x[0].mul(Softplus(x[0]).tanh()),
            "Gelu" when node.Attribute.All(a => a.Name != "approximate" || a.S.ToStringUtf8() == "none") => x => x[0].gelu(),
            "Erf" => x => x[0].erf(),
            "Exp" => x => x[0].exp(),
            "Log" => x => x[0].log(),
            "Sqrt" => x => x[0].sqrt(),
            "Abs" => x => x[0].abs(),
            "Neg" => x => x[0].neg(),
            "Reciprocal" => x => x[0].reciprocal(),
            "Identity" or "Dropout" => x => x[0].alias(),
            "Cast" when Nodes.IntOf(node, "to", 0) == (long)TensorProto.Types.DataType.Float => x => x[0].alias(),
            "Add" => x => x[0].add(x[1], Scalars.Of(1)),
            "Sub" => x => x[0].sub(x[1]),
            "Mul" => x => x[0].mul(x[1]),
            "Div" => x => x[0].div(x[1]),
            "Pow" => Power(node, graph),
            "Sum" => x => x.Aggregate((a, b) => a.add(b, Scalars.Of(1))),
            "Min" => x => x.Aggregate((a, b) => a.minimum(b)),
            "Max" => x => x.Aggregate((a, b) => a.maximum(b)),
            _ => null,
        };
    }

    // Not softplus, which makes scalars that nobody keeps.
    private static Tensor Softplus(Tensor x) => nn.functional.logsigmoid(x.neg()).neg();

    private static Func<Tensor[], Tensor>? Layer(NodeProto node, ModelGraph graph, GraphNetwork network) => node.OpType switch
    {
        "Gemm" => Gemm(node),
        "MatMul" => x => Product(x[0].to(x[1].dtype), x[1]),
        "BatchNormalization" when Nodes.IntOf(node, "training_mode", 0) == 0 => x => nn.functional.batch_norm(
            x[0], x[3], x[4], x[1], x[2], network.training, network.NormMomentum, Nodes.FloatOf(node, "epsilon", 1e-5f)),
        "InstanceNormalization" => x => nn.functional.instance_norm(x[0], weight: x[1], bias: x[2], eps: Nodes.FloatOf(node, "epsilon", 1e-5f)),
        "LayerNormalization" => LayerNorm(node, graph),
        // Both divide alpha by the size, and over an odd number of channels, the only one that ONNX Runtime takes, both windows are the same.
        "LRN" => x => nn.functional.local_response_norm(
            x[0].to(ScalarType.Float32), Nodes.IntOf(node, "size", 1), Nodes.FloatOf(node, "alpha", 1e-4f), Nodes.FloatOf(node, "beta", 0.75f), Nodes.FloatOf(node, "bias", 1)),
        _ => null,
    };

    private static Func<Tensor[], Tensor> Gemm(NodeProto node)
    {
        var (alpha, beta) = (Nodes.FloatOf(node, "alpha", 1), Nodes.FloatOf(node, "beta", 1));
        var (transA, transB) = (Nodes.IntOf(node, "transA", 0) != 0, Nodes.IntOf(node, "transB", 0) != 0);
        return x =>
        {
            var a = transA ? x[0].t() : x[0];
            var product = Product(a.to(x[1].dtype), transB ? x[1].t() : x[1]);
            if (alpha != 1) product = product.mul(Scalars.Of(alpha));
            return x.Length < 3 || x[2] is null ? product : product.add(beta == 1 ? x[2] : x[2].mul(Scalars.Of(beta)), Scalars.Of(1));
        };
    }

    // Not matmul: TorchSharp (0.107) catches no exception of that one, so that a wrong shape or a lack of memory would end the process.
    private static Tensor Product(Tensor a, Tensor b) => b.dim() > 2 ? einsum("...ij,...jk->...ik", a, b) : nn.functional.linear(a, b.t());

    private static Func<Tensor[], Tensor> LayerNorm(NodeProto node, ModelGraph graph)
    {
        var shape = graph.Shapes[node.Input[0]];
        var axis = (int)Nodes.IntOf(node, "axis", -1);
        if (axis < 0) axis += shape.Length;
        if (axis == 0) throw Unsupported(node, "it normalizes across images of a batch");
        if (node.Output.Skip(1).Any(o => o.Length > 0 && graph.Consumers(o).Any())) throw Unsupported(node, "its means or deviations are used");
        var (normalized, epsilon) = (shape[axis..], Nodes.FloatOf(node, "epsilon", 1e-5f));
        // ONNX repeats a shorter gain or offset, torch does not.
        return x => nn.functional.layer_norm(x[0], normalized, x[1].expand(normalized), x.Length > 2 ? x[2]?.expand(normalized) : null, epsilon);
    }

    // Its exponent need not be of its base's type since operator set 12, and only floats are handed to a node.
    private static Func<Tensor[], Tensor> Power(NodeProto node, ModelGraph graph)
    {
        if (graph.Constant(node.Input[1]) is not { } exponent || Tensors.IsFloat(exponent)) return x => x[0].pow(x[1]);
        float[] powers = [.. Tensors.Integers(exponent).Select(p => (float)p)];
        long[] shape = [.. exponent.Dims];
        return x => x[0].pow(tensor(powers, shape));
    }

    private static Func<Tensor[], Tensor> Clip(NodeProto node, ModelGraph graph)
    {
        Scalar? Bound(string attribute, int index)
        {
            if (node.Attribute.FirstOrDefault(a => a.Name == attribute) is { } found) return found.F.ToScalar();
            if (Nodes.InputOf(node, index) is not { } input) return null;
            return graph.Constant(input) is { } tensor ? Tensors.Floats(tensor).Single().ToScalar() : throw Unsupported(node, "its bounds are computed");
        }

        var (low, high) = (Bound("min", 1), Bound("max", 2));
        return low is null && high is null ? x => x[0].alias() : x => x[0].clamp(low, high);
    }

    // Spares a copy where nobody else reads the input, and its maker needs it no more for gradients.
    private static bool InPlace(NodeProto node, ModelGraph graph) =>
        graph.OnlyConsumer(node.Input[0]) is not null && graph.Producer(node.Input[0])?.OpType is "Conv" or "BatchNormalization" or "Add" or "Concat" or "Gemm";
}
