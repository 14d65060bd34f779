using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>Which nodes are computed on bytes, and which activations must be bytes for that.</summary>
internal sealed class QuantizationPlan
{
    private readonly Dictionary<NodeProto, IntegerKind> _kinds = [];
    private readonly HashSet<string> _quantized = [];

    private QuantizationPlan(ModelGraph graph) => Graph = graph;

    public ModelGraph Graph { get; }

    /// <summary>Activations that become bytes, in graph order.</summary>
    public IReadOnlyList<string> Tensors { get; private set; } = [];

    /// <summary>Convolutions and linear layers that are computed on bytes, in order.</summary>
    public IReadOnlyList<NodeProto> Layers { get; private set; } = [];

    /// <param name="graph">Prepared by <see cref="IntegerForms"/>; not changed, and not to be changed while the plan is used.</param>
    /// <param name="keepFloat">Nodes, by name, that are not to be quantized.</param>
    /// <exception cref="InvalidDataException">The graph is quantized already, not float32, or nothing of it can be quantized.</exception>
    public static QuantizationPlan Of(ModelGraph graph, IReadOnlySet<string>? keepFloat = null)
    {
        RequireFloat(graph);
        var plan = new QuantizationPlan(graph);
        var shapes = graph.Shapes;
        // Shapes, masks and what is computed in another precision are no floats that could become bytes.
        bool IsFloat(string value) => value.Length == 0 || shapes.TypeOf(value) == TensorProto.Types.DataType.Float;
        foreach (var node in graph.Nodes)
            plan._kinds[node] = keepFloat?.Contains(node.Name) == true || !node.Output.All(IsFloat) ? IntegerKind.None : IntegerOperators.KindOf(graph, node);
        foreach (var node in graph.Nodes) plan.Demand(node);
        // What stands between layers joins them; where all layers around it are float, it stays so too.
        int before;
        do
        {
            before = plan._quantized.Count;
            foreach (var node in graph.Nodes.Reverse()) plan.Join(node);
        }
        while (plan._quantized.Count > before);
        plan.Tensors = [.. graph.Nodes.SelectMany(n => n.Output).Prepend(graph.Input.Name).Where(plan._quantized.Contains)];
        plan.Layers = [.. graph.Nodes.Where(n => plan.KindOf(n) is IntegerKind.Convolution or IntegerKind.Linear)];
        return plan.Layers.Count > 0 || keepFloat is not null
            ? plan
            : throw new InvalidDataException("The model has no convolution or linear layer that can be quantized; `dunlin-optimizer inspect` shows its operators.");
    }

    public IntegerKind KindOf(NodeProto node) => _kinds[node];

    public bool IsQuantized(string value) => _quantized.Contains(value);

    /// <summary>Whether one of a node's inputs is a constant that becomes bytes beside another input.</summary>
    public bool IsOperand(NodeProto node, string input) =>
        KindOf(node) == IntegerKind.Free && node.OpType is "Add" or "Mul" && Graph.Constant(input) is not null && node.Input.Any(i => i != input && IsQuantized(i));

    /// <summary>Whether a node is a layer in float, or hands its input on to one.</summary>
    public bool StaysFloat(NodeProto node) =>
        KindOf(node) == IntegerKind.None ? IntegerOperators.IsLayer(node) : KindOf(node) == IntegerKind.KeepsGrid && !node.Output.Any(IsQuantized);

    /// <summary>Whether a value exists in float before it becomes bytes: it is the image, or what a float node computed.</summary>
    public bool IsMadeInFloat(string value) =>
        Graph.Producer(value) is not { } maker || (KindOf(maker) == IntegerKind.None && (maker.OpType is not ("Relu" or "Clip") || IsMadeInFloat(maker.Input[0])));

    /// <summary>Where a Relu or Clip alone reads a result, ONNX Runtime makes it part of the kernel, and its output is quantized instead.</summary>
    private string Result(NodeProto node) =>
        Graph.OnlyConsumer(node.Output[0]) is { OpType: "Relu" or "Clip" } activation && activation.Input[0] == node.Output[0] ? activation.Output[0] : node.Output[0];

    private void Demand(NodeProto layer)
    {
        if (KindOf(layer) is not (IntegerKind.Convolution or IntegerKind.Linear)) return;
        _quantized.Add(layer.Input[0]);
        // A linear layer's kernel may give floats, but none with an activation.
        if (KindOf(layer) == IntegerKind.Convolution || Result(layer) != layer.Output[0]) _quantized.Add(Result(layer));
    }

    private void Join(NodeProto node)
    {
        var inputs = node.Input.Where(i => i.Length > 0 && Graph.Constant(i) is null);
        if (KindOf(node) == IntegerKind.KeepsGrid && node.Output.Any(_quantized.Contains))
        {
            _quantized.UnionWith(node.Output);
            _quantized.UnionWith(inputs.Take(1));
        }
        else if (KindOf(node) == IntegerKind.Free && Result(node) != Graph.Output && (_quantized.Contains(Result(node)) || inputs.Any(_quantized.Contains)))
        {
            _quantized.UnionWith(inputs);
            _quantized.Add(Result(node));
        }
    }

    private static void RequireFloat(ModelGraph graph)
    {
        if (ModelPrecision.FirstInteger(graph) is { } integer)
            throw new InvalidDataException($"{Nodes.Named(integer)}: the model is quantized already; quantize its float32 form.");
        var type = (TensorProto.Types.DataType)graph.Model.Graph.Input.Single(i => i.Name == graph.Input.Name).Type.TensorType.ElemType;
        if (type != TensorProto.Types.DataType.Float) throw new InvalidDataException($"Input '{graph.Input.Name}' is of ONNX type {type}; quantize a model that computes in float32.");
    }
}
