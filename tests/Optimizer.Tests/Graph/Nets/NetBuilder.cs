using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Tests.Graph.Nets;

/// <summary>Writes ONNX graphs as exporters do, with random weights: one call a layer, the value's name goes in and out.</summary>
internal sealed class NetBuilder
{
    public const string Image = "image";
    private readonly Dictionary<string, long[]> _shapes = [];
    private readonly Random _random;
    private int _count;

    public NetBuilder(int seed, int channels = 3, int side = 32, bool openBatch = false)
    {
        _random = new Random(seed);
        var input = Nodes.FloatValue(Image, 1, channels, side, side);
        if (openBatch) input.Type.TensorType.Shape.Dim[0] = new TensorShapeProto.Types.Dimension { DimParam = "N" };
        Graph.Input.Add(input);
        _shapes[Image] = [1, channels, side, side];
        OpenBatch = openBatch;
    }

    public GraphProto Graph { get; } = new() { Name = "net" };

    public bool OpenBatch { get; }

    public long Opset { get; init; } = ModelFile.OpsetVersion;

    public long[] ShapeOf(string value) => _shapes[value];

    public long Channels(string value) => _shapes[value][1];

    public string Conv(string x, long channels, int kernel = 3, int stride = 1, long group = 1, bool bias = true, int padding = -1, int kernelWidth = 0)
    {
        var (input, width) = (Channels(x), kernelWidth > 0 ? kernelWidth : kernel);
        var fan = input / group * kernel * width;
        List<string> inputs = [x, Weights("w", Math.Sqrt(3.0 / fan), channels, input / group, kernel, width)];
        if (bias) inputs.Add(Weights("b", 0.2, channels));
        long[] pads = padding >= 0 ? [padding, padding] : [kernel / 2, width / 2];
        long Size(int axis, int size) => (_shapes[x][2 + axis] + 2 * pads[axis] - size) / stride + 1;
        return Add("Conv", inputs, [_shapes[x][0], channels, Size(0, kernel), Size(1, width)],
            Nodes.Ints("kernel_shape", kernel, width), Nodes.Ints("strides", stride, stride), Nodes.Ints("pads", pads[0], pads[1], pads[0], pads[1]), Nodes.Int("group", group));
    }

    public string Norm(string x)
    {
        var c = Channels(x);
        string[] inputs = [x, Spread("gamma", c, 0.5, 1.5), Spread("beta", c, -0.3, 0.3), Spread("mean", c, -0.2, 0.2), Spread("var", c, 0.5, 2)];
        return Add("BatchNormalization", inputs, _shapes[x], Nodes.Float("epsilon", 1e-3f));
    }

    public string ConvNormRelu(string x, long channels, int kernel = 3, int stride = 1, long group = 1) => Relu(Norm(Conv(x, channels, kernel, stride, group, bias: false)));

    public string Unary(string operation, string x, params AttributeProto[] attributes) => Add(operation, [x], _shapes[x], attributes);

    public string Cast(string x, TensorProto.Types.DataType to) => Unary("Cast", x, Nodes.Int("to", (long)to));

    public string Relu(string x) => Unary("Relu", x);

    /// <summary>Bounds by Constant nodes, as PyTorch writes them.</summary>
    public string Relu6(string x) => Add("Clip", [x, ConstantNode(Tensors.Of("", new float[] { 0 })), ConstantNode(Tensors.Of("", new float[] { 6 }))], _shapes[x]);

    public string Silu(string x) => Binary("Mul", x, Unary("Sigmoid", x));

    public string HardSwish(string x) => Unary("HardSwish", x);

    public string Binary(string operation, string a, string b) =>
        Add(operation, [a, b], [.. _shapes[a].Zip(_shapes[b], Math.Max)]);

    /// <summary>Squeeze and excitation: what a channel's mean says of all others scales it.</summary>
    public string SqueezeExcite(string x, long inner, string gate = "Sigmoid", string activation = "Relu")
    {
        var y = GlobalPool(x);
        y = activation == "Silu" ? Silu(Conv(y, inner, 1)) : Unary(activation, Conv(y, inner, 1));
        return Binary("Mul", x, Unary(gate, Conv(y, Channels(x), 1)));
    }

    public string Pool(string operation, string x, int kernel = 2, int stride = 2, int padding = 0)
    {
        long Size(long side) => (side + 2 * padding - kernel) / stride + 1;
        var s = _shapes[x];
        return Add(operation, [x], [s[0], s[1], Size(s[2]), Size(s[3])],
            Nodes.Ints("kernel_shape", kernel, kernel), Nodes.Ints("strides", stride, stride), Nodes.Ints("pads", padding, padding, padding, padding));
    }

    public string GlobalPool(string x) => Add("GlobalAveragePool", [x], [_shapes[x][0], _shapes[x][1], 1, 1]);

    public string Mean(string x) => Add("ReduceMean", [x], [_shapes[x][0], _shapes[x][1]], Nodes.Ints("axes", 2, 3), Nodes.Int("keepdims", 0));

    public string Concat(params string[] values) =>
        Add("Concat", values, [_shapes[values[0]][0], values.Sum(Channels), .. _shapes[values[0]][2..]], Nodes.Int("axis", 1));

    public string Flatten(string x) => Add("Flatten", [x], [_shapes[x][0], _shapes[x][1..].Aggregate(1L, (a, b) => a * b)]);

    /// <summary>Flatten as <c>x.view(x.size(0), -1)</c> is exported.</summary>
    public string View(string x)
    {
        var rank = _shapes[x].Length;
        var shape = Add("Shape", [x], [rank]);
        var batch = Add("Gather", [shape, ConstantNode(Tensors.Of("", new long[] { 0 }))], []);
        var first = Add("Unsqueeze", [batch, ConstantNode(Tensors.Of("", [0L], 1))], [1]);
        var all = Add("Concat", [first, ConstantNode(Tensors.Of("", [-1L], 1))], [2], Nodes.Int("axis", 0));
        return Add("Reshape", [x, all], [_shapes[x][0], _shapes[x][1..].Aggregate(1L, (a, b) => a * b)]);
    }

    public string Reshape(string x, params long[] shape) => Add("Reshape", [x, ConstantNode(Tensors.Of("", shape, shape.Length))], shape);

    public string Transpose(string x, params long[] order) => Add("Transpose", [x], [.. order.Select(o => _shapes[x][o])], Nodes.Ints("perm", order));

    /// <summary>Channels of several groups, one of each in turn.</summary>
    public string Shuffle(string x, long group)
    {
        var s = ShapeOf(x);
        x = Transpose(Reshape(x, s[0], group, s[1] / group, s[2], s[3]), 0, 2, 1, 3, 4);
        return Reshape(x, s);
    }

    public string Slice(string x, int axis, long start, long end)
    {
        var size = ShapeOf(x)[axis];
        long Place(long value) => Math.Clamp(value < 0 ? value + size : value, 0, size);
        long[] shape = [.. ShapeOf(x)];
        shape[axis] = Place(end) - Place(start);
        return Add("Slice", [x, .. new[] { start, end, axis }.Select(v => ConstantNode(Tensors.Of("", [v], 1)))], shape);
    }

    public string Linear(string x, long outputs)
    {
        var inputs = _shapes[x][^1];
        return Add("Gemm", [x, Weights("w", Math.Sqrt(3.0 / inputs), outputs, inputs), Weights("b", 0.2, outputs)], [_shapes[x][0], outputs], Nodes.Int("transB", 1));
    }

    /// <summary>A linear layer as TensorFlow writes it: MatMul and Add.</summary>
    public string Dense(string x, long outputs)
    {
        var inputs = _shapes[x][^1];
        var y = Add("MatMul", [x, Weights("w", Math.Sqrt(3.0 / inputs), inputs, outputs)], [_shapes[x][0], outputs]);
        return Add("Add", [y, Weights("b", 0.2, outputs)], _shapes[y]);
    }

    public string Add(string operation, IEnumerable<string> inputs, long[] shape, params AttributeProto[] attributes)
    {
        var name = $"{operation.ToLowerInvariant()}{_count++}";
        Graph.Node.Add(Nodes.Make(operation, inputs, name, attributes));
        _shapes[name] = shape;
        return name;
    }

    public string ConstantNode(TensorProto tensor)
    {
        var attribute = new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor, T = tensor };
        return Add("Constant", [], [.. tensor.Dims], attribute);
    }

    public string Constant(TensorProto tensor)
    {
        Graph.Initializer.Add(tensor);
        _shapes[tensor.Name] = [.. tensor.Dims];
        return tensor.Name;
    }

    public string Weights(string kind, double bound, params long[] shape) => Random(kind, -bound, bound, shape);

    public ModelProto Build(string output)
    {
        var value = Nodes.FloatValue(output, _shapes[output]);
        if (OpenBatch) value.Type.TensorType.Shape.Dim[0] = new TensorShapeProto.Types.Dimension { DimParam = "N" };
        Graph.Output.Add(value);
        var model = new ModelProto { IrVersion = ModelFile.IrVersion, ProducerName = "tests", Graph = Graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = Opset });
        model.MetadataProps.Add(new StringStringEntryProto { Key = "author", Value = "a person" });
        return model;
    }

    private string Spread(string kind, long count, double low, double high) => Random(kind, low, high, [count]);

    private string Random(string kind, double low, double high, long[] shape)
    {
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++) values[i] = (float)(low + _random.NextDouble() * (high - low));
        return Constant(Tensors.Of($"{kind}{_count++}", values, shape));
    }
}
