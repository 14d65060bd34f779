using System.Runtime.InteropServices;

namespace Dunlin.TestKit.Onnx;

/// <summary>ONNX's element types, as numbered in onnx.proto.</summary>
public enum OnnxType
{
    Float = 1,
    UInt8 = 2,
    Int8 = 3,
    Int32 = 6,
    Int64 = 7,
    Bool = 9,
}

/// <summary>Builds an ONNX graph and the model file around it (onnx.proto, IR version 8, opset 17). A negative dimension is an open one.</summary>
public sealed class OnnxGraph
{
    private readonly ProtoWriter _graph = new();
    private readonly List<ProtoWriter> _functions = [];

    public OnnxGraph() => _graph.Text(2, "graph");

    public OnnxGraph Input(string name, OnnxType type, params long[] shape) => Value(11, name, type, shape);

    public OnnxGraph Output(string name, OnnxType type, params long[] shape) => Value(12, name, type, shape);

    public OnnxGraph Weights(string name, float[] values, params long[] shape) =>
        Tensor(5, name, OnnxType.Float, MemoryMarshal.AsBytes(values.AsSpan()), shape);

    public OnnxGraph Weights(string name, long[] values, params long[] shape) =>
        Tensor(5, name, OnnxType.Int64, MemoryMarshal.AsBytes(values.AsSpan()), shape);

    public OnnxGraph Weights(string name, OnnxType type, byte[] raw, params long[] shape) => Tensor(5, name, type, raw, shape);

    /// <summary>A float weight whose bytes lie in another file.</summary>
    public OnnxGraph ExternalWeights(string name, string location, params long[] shape)
    {
        var tensor = TensorHeader(name, OnnxType.Float, shape)
            .Message(13, new ProtoWriter().Text(1, "location").Text(2, location))
            .Number(14, 1);
        _graph.Message(5, tensor);
        return this;
    }

    public OnnxGraph Node(string op, string[] inputs, string[] outputs, params NodeSetting[] attributes)
    {
        _graph.Message(1, NodeOf(op, inputs, outputs, attributes));
        return this;
    }

    /// <summary>A model-local function of domain <c>local</c>, each with one input x and one output y.</summary>
    public OnnxGraph Function(string name, params ProtoWriter[] nodes)
    {
        var function = new ProtoWriter().Text(1, name).Text(4, "x").Text(5, "y");
        foreach (var node in nodes) function.Message(7, node);
        _functions.Add(function.Message(9, Opset("", 17)).Message(9, Opset("local", 1)).Text(10, "local"));
        return this;
    }

    /// <summary>Writes fields that the other members would not write, straight into the graph.</summary>
    public OnnxGraph Raw(Action<ProtoWriter> write)
    {
        write(_graph);
        return this;
    }

    /// <param name="ir">Version of the file format.</param>
    /// <param name="opset">Version of ONNX's own operators.</param>
    /// <param name="more">Writes further fields into the model.</param>
    public byte[] ToModel(int ir = 8, int opset = 17, Action<ProtoWriter>? more = null)
    {
        var model = new ProtoWriter().Number(1, ir).Text(2, "dunlin-tests").Message(7, _graph)
            .Message(8, Opset("", opset)).Message(8, Opset("local", 1)).Message(8, Opset("com.microsoft", 1));
        more?.Invoke(model);
        foreach (var function in _functions) model.Message(25, function);
        return model.ToArray();
    }

    public static ProtoWriter NodeOf(string op, string[] inputs, string[] outputs, params NodeSetting[] attributes)
    {
        var node = new ProtoWriter();
        foreach (var input in inputs) node.Text(1, input);
        foreach (var output in outputs) node.Text(2, output);
        var (domain, type) = op.Split(':') is [var left, var right] ? (left, right) : ("", op);
        node.Text(4, type);
        foreach (var attribute in attributes) node.Message(5, attribute.Message);
        return node.Text(7, domain);
    }

    internal ProtoWriter GraphMessage => _graph;

    private OnnxGraph Value(int field, string name, OnnxType type, long[] shape)
    {
        var dimensions = new ProtoWriter();
        foreach (var size in shape)
            dimensions.Message(1, size < 0 ? new ProtoWriter().Text(2, $"open{-size}") : new ProtoWriter().Number(1, size));
        var tensor = new ProtoWriter().Number(1, (int)type).Message(2, dimensions);
        _graph.Message(field, new ProtoWriter().Text(1, name).Message(2, new ProtoWriter().Message(1, tensor)));
        return this;
    }

    private OnnxGraph Tensor(int field, string name, OnnxType type, ReadOnlySpan<byte> raw, long[] shape)
    {
        _graph.Message(field, TensorHeader(name, type, shape).Bytes(9, raw));
        return this;
    }

    private static ProtoWriter TensorHeader(string name, OnnxType type, long[] shape)
    {
        var tensor = new ProtoWriter();
        foreach (var size in shape) tensor.Number(1, size);
        return tensor.Number(2, (int)type).Text(8, name);
    }

    private static ProtoWriter Opset(string domain, int version) => new ProtoWriter().Text(1, domain).Number(2, version);
}

/// <summary>One attribute of a node.</summary>
public sealed class NodeSetting
{
    private NodeSetting(ProtoWriter message) => Message = message;

    internal ProtoWriter Message { get; }

    public static NodeSetting Integer(string name, long value) => new(new ProtoWriter().Text(1, name).Number(3, value).Number(20, 2));

    public static NodeSetting Single(string name, float value) => new(new ProtoWriter().Text(1, name).Single(2, value).Number(20, 1));

    public static NodeSetting Text(string name, string value) => new(new ProtoWriter().Text(1, name).Text(4, value).Number(20, 3));

    public static NodeSetting Graph(string name, OnnxGraph graph) => new(new ProtoWriter().Text(1, name).Message(6, graph.GraphMessage).Number(20, 5));

    /// <param name="name">The attribute.</param>
    /// <param name="tensor">A TensorProto.</param>
    public static NodeSetting Tensor(string name, ProtoWriter tensor) => new(new ProtoWriter().Text(1, name).Message(5, tensor).Number(20, 4));

    public static NodeSetting Integers(string name, params long[] values)
    {
        var message = new ProtoWriter().Text(1, name);
        foreach (var value in values) message.Number(8, value);
        return new NodeSetting(message.Number(20, 7));
    }
}
