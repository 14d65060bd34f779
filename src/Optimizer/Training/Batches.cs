using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training;

/// <summary>Some images at once.</summary>
/// <param name="Indices">Their places in the set.</param>
/// <param name="Pixels">Batch first, in the model's layout.</param>
/// <param name="Labels">One each.</param>
internal sealed record Batch(IReadOnlyList<int> Indices, Tensor Pixels, Tensor Labels);

/// <summary>One epoch of batches of one view of each image, in random order.</summary>
/// <param name="images">All have their turn.</param>
/// <param name="augmentation">Of these images.</param>
/// <param name="view">Its number.</param>
/// <param name="batchSize">At most.</param>
/// <param name="random">Gives the order.</param>
/// <param name="withRest">Whether there is a last, smaller batch; normalization over a few images would be noise.</param>
internal sealed class Batches(PixelSet images, Augmentation augmentation, int view, int batchSize, Random random, bool withRest = false)
{
    private readonly int[] _order = Shuffled(images.Count, random);
    private readonly int _size = Math.Min(batchSize, images.Count);
    private readonly float[] _pixels = new float[Math.Min(batchSize, images.Count) * images.Size];
    private int _next;

    public int Count => withRest ? (_order.Length + _size - 1) / _size : _order.Length / _size;

    /// <summary>Goes on behind so many batches.</summary>
    public void Skip(int count) => _next += count * _size;

    public Batch Next(ModelInput input)
    {
        var indices = new ArraySegment<int>(_order, _next, Math.Min(_size, _order.Length - _next));
        _next += indices.Count;
        Parallel.For(0, indices.Count, i => augmentation.Write(indices[i], view, _pixels.AsSpan(i * images.Size, images.Size)));
        var pixels = indices.Count == _size ? _pixels : _pixels[..(indices.Count * images.Size)];
        return new Batch(indices, tensor(pixels, [indices.Count, .. input.Shape.Skip(1)]), tensor(indices.Select(i => (long)images.Label(i)).ToArray()));
    }

    private static int[] Shuffled(int count, Random random)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        random.Shuffle(order);
        return order;
    }
}
