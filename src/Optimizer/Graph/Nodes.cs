using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>Nodes and values in one line each.</summary>
internal static class Nodes
{
    /// <summary>A node named after its first output.</summary>
    public static NodeProto Make(string operation, IEnumerable<string> inputs, string output, params IEnumerable<AttributeProto> attributes)
    {
        var node = new NodeProto { Name = output, OpType = operation };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        node.Attribute.AddRange(attributes);
        return node;
    }

    public static AttributeProto Ints(string name, params ReadOnlySpan<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        foreach (var value in values) attribute.Ints.Add(value);
        return attribute;
    }

    public static AttributeProto Int(string name, long value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };

    public static AttributeProto Float(string name, float value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Float, F = value };

    public static ValueInfoProto FloatValue(string name, params ReadOnlySpan<long> shape)
    {
        var dimensions = new TensorShapeProto();
        foreach (var size in shape) dimensions.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = size });
        var tensor = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float, Shape = dimensions };
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = tensor } };
    }

    /// <summary>An integer attribute, or what ONNX says if it is absent.</summary>
    public static long IntOf(NodeProto node, string name, long absent) =>
        node.Attribute.FirstOrDefault(a => a.Name == name)?.I ?? absent;

    public static float FloatOf(NodeProto node, string name, float absent) =>
        node.Attribute.FirstOrDefault(a => a.Name == name)?.F ?? absent;

    /// <summary>A list attribute, or so many times what ONNX says if it is absent.</summary>
    public static long[] IntsOf(NodeProto node, string name, int count, long absent) =>
        IntsOf(node, name) ?? [.. Enumerable.Repeat(absent, count)];

    /// <summary>A list attribute, or null.</summary>
    public static long[]? IntsOf(NodeProto node, string name) =>
        node.Attribute.FirstOrDefault(a => a.Name == name) is { } found ? [.. found.Ints] : null;

    /// <summary>The one axis that a softmax normalizes over; null for several, since before operator set 13 it took all from its own on.</summary>
    public static int? SoftmaxAxis(NodeProto node, long opset, long[] shape)
    {
        var axis = IntOf(node, "axis", opset >= 13 ? -1 : 1);
        if (axis < 0) axis += shape.Length;
        return opset >= 13 || shape.Skip((int)axis + 1).All(size => size == 1) ? (int)axis : null;
    }

    /// <summary>The name of an input that may be left out; null if it is.</summary>
    public static string? InputOf(NodeProto node, int index) => index < node.Input.Count && node.Input[index].Length > 0 ? node.Input[index] : null;

    /// <summary>The operator, with its domain where that is not ONNX's own.</summary>
    public static string OperatorOf(NodeProto node) => node.Domain is "" or "ai.onnx" ? node.OpType : $"{node.Domain}:{node.OpType}";

    /// <summary>How messages call a node.</summary>
    public static string Named(NodeProto node) =>
        $"Node '{(node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault())}' ({OperatorOf(node)})";
}
