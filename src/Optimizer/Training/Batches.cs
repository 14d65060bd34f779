using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training;

/// <summary>Some images at once.</summary>
/// <param name="Indices">Their places in the set.</param>
/// <param name="Pixels">Batch first, in the model's layout.</param>
/// <param name="Labels">One each.</param>
internal sealed record Batch(IReadOnlyList<int> Indices, Tensor Pixels, Tensor Labels);

/// <summary>One epoch of batches of one view of each image, in random order; a last, smaller one is left out.</summary>
internal sealed class Batches(PixelSet images, Augmentation augmentation, int view, int batchSize, Random random)
{
    private readonly int[] _order = Shuffled(images.Count, random);
    private readonly int _size = Math.Min(batchSize, images.Count);
    private readonly float[] _pixels = new float[Math.Min(batchSize, images.Count) * images.Size];
    private int _next;

    public int Count => _order.Length / _size;

    public Batch Next(ModelInput input)
    {
        var indices = new ArraySegment<int>(_order, _next, _size);
        _next += _size;
        Parallel.For(0, _size, i => augmentation.Write(indices[i], view, _pixels.AsSpan(i * images.Size, images.Size)));
        return new Batch(indices, tensor(_pixels, [_size, .. input.Shape.Skip(1)]), tensor(indices.Select(i => (long)images.Label(i)).ToArray()));
    }

    private static int[] Shuffled(int count, Random random)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        random.Shuffle(order);
        return order;
    }
}
