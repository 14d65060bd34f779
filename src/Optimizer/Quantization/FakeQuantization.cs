using System.Globalization;
using System.Text;
using Dunlin.Contracts.Artifacts;
using Dunlin.Optimizer.Training.Execution;
using Onnx;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Quantization;

/// <summary>
/// Lets torch compute a graph in float on the grids that <see cref="QdqQuantizer"/> writes, so that it can be trained for them (Jacob et al. 2018,
/// Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference). Gradients pass rounding as if it were not
/// there, and stop where a value is clipped (the straight-through estimator). Weights get new scales at each step; activations keep their ranges.
/// </summary>
internal sealed class FakeQuantization
{
    private readonly QuantizationPlan _plan;
    private readonly Dictionary<string, TensorRange> _ranges;
    private readonly QuantizationTarget _target;

    /// <param name="plan">For the graph that torch computes.</param>
    /// <param name="ranges">For at least each of the plan's tensors.</param>
    /// <param name="target">The CPU it is for.</param>
    public FakeQuantization(QuantizationPlan plan, IReadOnlyDictionary<string, TensorRange> ranges, QuantizationTarget target) =>
        (_plan, _ranges, _target) = (plan, GridAssignment.Of(plan, plan.Tensors.ToDictionary(t => t, t => ranges[t])), target);

    /// <summary>Of all grids: what was trained for equal ones goes on from there.</summary>
    public Digest Key => Digest.Of(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_target} {string.Join(' ', _plan.Tensors.Select(t => $"{t} {_ranges[t]}"))}")));

    /// <summary>A node's work between what it reads and what it writes as bytes.</summary>
    public TorchOperation Around(NodeProto node, TorchOperation operation)
    {
        var kind = _plan.KindOf(node);
        var isLayer = kind is IntegerKind.Convolution or IntegerKind.Linear;
        var image = node.Input.Select(i => i == _plan.Graph.Input.Name && _plan.IsQuantized(i)).ToList();
        var operand = isLayer ? -1 : node.Input.ToList().FindIndex(i => _plan.IsOperand(node, i));
        // What hands bytes on has them from its input.
        var written = node.Output.Select(o => _plan.IsQuantized(o) && kind != IntegerKind.KeepsGrid ? _ranges[o] : (TensorRange?)null).ToList();
        return inputs =>
        {
            for (var i = 0; i < inputs.Length; i++)
                if (image[i]) inputs[i] = OnGrid(inputs[i], _ranges[_plan.Graph.Input.Name]);
            if (isLayer) QuantizeWeights(node, inputs);
            if (operand >= 0) inputs[operand] = OnGrid(inputs[operand], TensorRange.Empty.With(inputs[operand].data<float>().ToArray()));
            return [.. operation(inputs).Zip(written, (output, range) => range is { } known ? OnGrid(output, known) : output)];
        };
    }

    private static Tensor OnGrid(Tensor values, TensorRange range)
    {
        var (scale, zero) = range.ToUInt8();
        var clipped = values.clamp(Scalars.Of(-zero * scale), Scalars.Of((byte.MaxValue - zero) * scale));
        return Straight(clipped, clipped.detach().div(Scalars.Of(scale)).round_().mul_(Scalars.Of(scale)));
    }

    private void QuantizeWeights(NodeProto layer, Tensor[] inputs)
    {
        var (weights, bias) = (inputs[1].detach(), inputs.Length > 2 ? inputs[2] : null);
        long[] others = [.. Enumerable.Range(0, (int)weights.dim()).Where(axis => axis != IntegerOperators.ChannelAxis(layer)).Select(axis => (long)axis)];
        var inputScale = _ranges[layer.Input[0]].ToUInt8().Scale;
        // As ChannelWeights chooses them.
        var scales = weights.abs().amax(others, keepdim: true).div(Scalars.Of(_target.LargestWeight));
        if (bias is not null) scales = maximum(scales, bias.detach().abs().div(Scalars.Of(inputScale * ChannelWeights.LargestBias)).reshape(scales.shape));
        scales = where(scales.lt(Scalars.Of(ChannelWeights.SmallestScale)), ones_like(scales), scales);
        if (bias is not null)
        {
            var steps = scales.reshape(bias.shape).mul(Scalars.Of(inputScale));
            inputs[2] = Straight(bias, bias.detach().div(steps).round_().mul_(steps));
        }

        inputs[1] = Straight(inputs[1], weights.div(scales).round_().clamp_(Scalars.Of(-_target.LargestWeight), Scalars.Of(_target.LargestWeight)).mul_(scales));
    }

    // The number is the rounded one, the gradient that of the other.
    private static Tensor Straight(Tensor value, Tensor rounded) => value.add(rounded.sub_(value.detach()), Scalars.Of(1));
}
