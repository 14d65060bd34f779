using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>
/// Writes a plan in QDQ form: activations to bytes, weights to signed bytes per output channel, biases to
/// int32, so that ONNX Runtime fuses each convolution with its neighbours into one integer kernel.
/// </summary>
internal sealed class QdqQuantizer
{
    private readonly QuantizationPlan _plan;
    private readonly QuantizationTarget _on;
    private readonly GraphProto _target;
    private readonly Dictionary<string, TensorRange> _ranges;
    private readonly HashSet<string> _written = [];

    private QdqQuantizer(QuantizationPlan plan, QuantizationTarget on, GraphProto target, IReadOnlyDictionary<string, TensorRange> ranges) =>
        (_plan, _on, _target, _ranges) = (plan, on, target, GridAssignment.Of(plan, ranges));

    /// <param name="plan">For a graph of float32.</param>
    /// <param name="ranges">For at least each of the plan's tensors.</param>
    /// <param name="target">The CPU it is for.</param>
    public static ModelProto Quantize(QuantizationPlan plan, IReadOnlyDictionary<string, TensorRange> ranges, QuantizationTarget target)
    {
        var result = plan.Graph.Model.Clone();
        result.ProducerName = "dunlin-optimizer";
        result.Graph.Node.Clear();
        result.Graph.Initializer.Clear();
        result.Graph.ValueInfo.Clear();
        new QdqQuantizer(plan, target, result.Graph, plan.Tensors.ToDictionary(t => t, t => ranges[t])).Write();
        return result;
    }

    /// <summary>The name of a layer's weights in the quantized model.</summary>
    public static string WeightsOf(NodeProto layer) => $"{layer.Name}.weight.q";

    /// <summary>The names of a layer's bias and its scales in the quantized model; null for one without.</summary>
    public static (string Values, string Scales)? BiasOf(NodeProto layer) =>
        Nodes.InputOf(layer, 2) is null ? null : ($"{layer.Name}.bias.q", $"{layer.Name}.bias.scale");

    private void Write()
    {
        if (_plan.IsQuantized(_plan.Graph.Input.Name)) WritePair(_plan.Graph.Input.Name, Dequantized(_plan.Graph.Input.Name));
        foreach (var node in _plan.Graph.Nodes)
        {
            var copy = node.Clone();
            for (var i = 0; i < copy.Input.Count; i++) copy.Input[i] = Rewired(node, i);
            _target.Node.Add(copy);
            for (var i = 0; i < copy.Output.Count; i++)
            {
                var output = node.Output[i];
                if (!_plan.IsQuantized(output)) continue;
                // The graph's output keeps its name.
                if (output == _plan.Graph.Output) copy.Output[i] = $"{output}.raw";
                WritePair(output, output == _plan.Graph.Output ? output : Dequantized(output), copy.Output[i]);
            }
        }
    }

    private string Rewired(NodeProto node, int index)
    {
        var name = node.Input[index];
        if (_plan.IsQuantized(name)) return name == _plan.Graph.Output ? name : _plan.StaysFloat(node) ? ReadInFloat(name) : Dequantized(name);
        if (_plan.Graph.Constant(name) is not { } tensor) return name;
        var kind = _plan.KindOf(node);
        if (kind is IntegerKind.Convolution or IntegerKind.Linear && index is 1 or 2) return index == 1 ? WriteWeights(node, tensor) : $"{node.Name}.bias.dq";
        if (_plan.IsOperand(node, name)) return WriteConstant(node, tensor);
        if (_written.Add(name)) _target.Initializer.Add(tensor);
        return name;
    }

    private string WriteWeights(NodeProto node, TensorProto tensor)
    {
        var axis = IntegerOperators.ChannelAxis(node);
        var inputScale = _ranges[node.Input[0]].ToUInt8().Scale;
        var bias = _plan.Graph.Constant(Nodes.InputOf(node, 2)) is { } found ? Tensors.Floats(found) : [];
        var weights = ChannelWeights.Of(Tensors.Floats(tensor), [.. tensor.Dims], axis, _on.LargestWeight, bias, inputScale);
        var channels = weights.Scales.Length;
        WriteConstant($"{node.Name}.weight", Tensors.Of("", weights.Values, [.. tensor.Dims]), weights.Scales, Tensors.Of("", new sbyte[channels], channels), axis);
        if (bias.Length > 0)
            WriteConstant($"{node.Name}.bias", Tensors.Of("", weights.Bias(bias, inputScale), channels), weights.BiasScales(inputScale), Tensors.Of("", new int[channels], channels), 0);
        return $"{node.Name}.weight.dq";
    }

    private void WriteConstant(string name, TensorProto values, float[] scales, TensorProto zeros, int axis)
    {
        (values.Name, zeros.Name) = ($"{name}.q", $"{name}.zero");
        _target.Initializer.Add(values);
        _target.Initializer.Add(Tensors.Of($"{name}.scale", scales, scales.Length));
        _target.Initializer.Add(zeros);
        _target.Node.Add(Nodes.Make("DequantizeLinear", [$"{name}.q", $"{name}.scale", $"{name}.zero"], $"{name}.dq", Nodes.Int("axis", axis)));
    }

    private string WriteConstant(NodeProto node, TensorProto tensor)
    {
        var name = $"{node.Name}.operand";
        var values = Tensors.Floats(tensor);
        var (scale, zero) = TensorRange.Empty.With(values).ToUInt8();
        byte[] steps = [.. values.Select(v => (byte)Math.Clamp(MathF.Round(v / scale) + zero, 0, byte.MaxValue))];
        var bytes = _on.SignedActivations ? Tensors.Of($"{name}.q", [.. steps.Select(Signed)], [.. tensor.Dims]) : Tensors.Of($"{name}.q", steps, [.. tensor.Dims]);
        _target.Initializer.Add(bytes);
        WriteGrid(name, [scale], zero);
        _target.Node.Add(Nodes.Make("DequantizeLinear", [$"{name}.q", $"{name}.scale", $"{name}.zero"], Dequantized(name)));
        return Dequantized(name);
    }

    /// <summary>
    /// ONNX Runtime (1.31, weight_bias_quantization.cc, qdq_propagation.cc) quantizes the weights of a float layer between DequantizeLinear and
    /// QuantizeLinear by itself, with one scale for all channels. It does not where the bytes come with a scale for each channel, here the same for all.
    /// </summary>
    private string ReadInFloat(string name)
    {
        if (_plan.IsMadeInFloat(name)) return name;
        var result = $"{name}.float";
        if (!_written.Add(result)) return result;
        var shape = _plan.Graph.Shapes[name];
        var axis = Math.Max(1, Array.FindIndex(shape, 1, size => size > 1));
        var (scale, zero) = _ranges[name].ToUInt8();
        WriteGrid(result, [.. Enumerable.Repeat(scale, (int)shape[axis])], zero);
        _target.Node.Add(Nodes.Make("DequantizeLinear", [$"{name}.q", $"{result}.scale", $"{result}.zero"], result, Nodes.Int("axis", axis)));
        return result;
    }

    private void WritePair(string name, string dequantized, string? source = null)
    {
        var (scale, zeroPoint) = _ranges[name].ToUInt8();
        WriteGrid(name, [scale], zeroPoint);
        _target.Node.Add(Nodes.Make("QuantizeLinear", [source ?? name, $"{name}.scale", $"{name}.zero"], $"{name}.q"));
        _target.Node.Add(Nodes.Make("DequantizeLinear", [$"{name}.q", $"{name}.scale", $"{name}.zero"], dequantized));
    }

    // One number is written as a scalar: only then is it a grid for the whole tensor.
    private void WriteGrid(string name, float[] scales, byte zeroPoint)
    {
        long[] shape = scales.Length == 1 ? [] : [scales.Length];
        byte[] zeros = [.. Enumerable.Repeat(zeroPoint, scales.Length)];
        _target.Initializer.Add(Tensors.Of($"{name}.scale", scales, shape));
        _target.Initializer.Add(_on.SignedActivations ? Tensors.Of($"{name}.zero", [.. zeros.Select(Signed)], shape) : Tensors.Of($"{name}.zero", zeros, shape));
    }

    private static sbyte Signed(byte value) => (sbyte)(value + sbyte.MinValue);

    private static string Dequantized(string name) => $"{name}.dq";
}
