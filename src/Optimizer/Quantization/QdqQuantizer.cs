using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>
/// Static quantization in QDQ form: activations to unsigned bytes, weights to signed bytes per output channel, biases to
/// int32, so that ONNX Runtime fuses each convolution with its neighbours into one integer kernel.
/// </summary>
internal sealed class QdqQuantizer
{
    private readonly GraphProto _source;
    private readonly GraphProto _target;
    private readonly Dictionary<string, TensorProto> _initializers;
    private readonly IReadOnlySet<string> _quantized;
    private readonly Dictionary<string, (float Scale, byte ZeroPoint)> _grids = [];
    private readonly HashSet<string> _written = [];

    private QdqQuantizer(GraphProto source, GraphProto target, IReadOnlySet<string> quantized)
    {
        (_source, _target, _quantized) = (source, target, quantized);
        _initializers = source.Initializer.ToDictionary(i => i.Name);
    }

    /// <param name="model">Float32, as trained.</param>
    /// <param name="ranges">For each of <see cref="QuantizedTensors.Of"/>.</param>
    public static ModelProto Quantize(ModelProto model, IReadOnlyDictionary<string, TensorRange> ranges)
    {
        var result = model.Clone();
        result.ProducerName = "dunlin-optimizer";
        result.Graph.Node.Clear();
        result.Graph.Initializer.Clear();
        result.Graph.ValueInfo.Clear();
        var quantizer = new QdqQuantizer(model.Graph, result.Graph, ranges.Keys.ToHashSet());
        foreach (var (name, range) in ranges) quantizer._grids[name] = range.ToUInt8();
        quantizer.Write();
        return result;
    }

    private void Write()
    {
        foreach (var input in _source.Input.Where(i => _quantized.Contains(i.Name))) WritePair(input.Name);
        foreach (var node in _source.Node)
        {
            if (QuantizedTensors.KeepsGrid(node) && _grids.TryGetValue(node.Input[0], out var grid)) _grids[node.Output[0]] = grid;
            var copy = node.Clone();
            for (var i = 0; i < copy.Input.Count; i++) copy.Input[i] = Rewired(node, i);
            _target.Node.Add(copy);
            if (_quantized.Contains(node.Output[0])) WritePair(node.Output[0]);
        }
    }

    private string Rewired(NodeProto node, int index)
    {
        var name = node.Input[index];
        if (_quantized.Contains(name)) return Dequantized(name);
        if (!_initializers.TryGetValue(name, out var initializer)) return name;
        if (QuantizedTensors.HasWeights(node) && _quantized.Contains(node.Input[0]) && index is 1 or 2) return WriteWeights(node, index);
        if (_written.Add(name)) _target.Initializer.Add(initializer);
        return name;
    }

    private string WriteWeights(NodeProto node, int index)
    {
        var name = node.Input[index];
        if (!_written.Add(name)) return Dequantized(name);
        var tensor = _initializers[node.Input[1]];
        var channels = (int)tensor.Dims[0];
        var weights = ChannelWeights.Of(Tensors.Floats(tensor), channels);
        var inputScale = _grids[node.Input[0]].Scale;
        var (values, scales) = index == 1
            ? (Tensors.Of($"{name}.q", weights.Values, [.. tensor.Dims]), weights.Scales)
            : (Tensors.Of($"{name}.q", weights.Bias(Tensors.Floats(_initializers[name]), inputScale), channels), weights.BiasScales(inputScale));
        _target.Initializer.Add(values);
        _target.Initializer.Add(Tensors.Of($"{name}.scale", scales, channels));
        _target.Initializer.Add(index == 1
            ? Tensors.Of($"{name}.zero", new sbyte[channels], channels)
            : Tensors.Of($"{name}.zero", new int[channels], channels));
        _target.Node.Add(Nodes.Make("DequantizeLinear", [$"{name}.q", $"{name}.scale", $"{name}.zero"], Dequantized(name), Nodes.Int("axis", 0)));
        return Dequantized(name);
    }

    private void WritePair(string name)
    {
        var (scale, zeroPoint) = _grids[name];
        _target.Initializer.Add(Tensors.Of($"{name}.scale", [scale]));
        _target.Initializer.Add(Tensors.Of($"{name}.zero", [zeroPoint]));
        _target.Node.Add(Nodes.Make("QuantizeLinear", [name, $"{name}.scale", $"{name}.zero"], $"{name}.q"));
        _target.Node.Add(Nodes.Make("DequantizeLinear", [$"{name}.q", $"{name}.scale", $"{name}.zero"], Dequantized(name)));
    }

    private static string Dequantized(string name) => $"{name}.dq";
}
