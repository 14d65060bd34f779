using Onnx;

namespace Dunlin.Optimizer.Pruning;

/// <summary>An axis of a weight tensor along which channels lie.</summary>
/// <param name="Tensor">The weights.</param>
/// <param name="Axis">One of its axes.</param>
/// <param name="Labels">Of the places along it.</param>
internal readonly record struct WeightSlice(TensorProto Tensor, int Axis, int[] Labels)
{
    /// <summary>Elements from one place to the next.</summary>
    public long Stride => Tensor.Dims.Skip(Axis + 1).Aggregate(1L, (product, size) => product * size);
}
