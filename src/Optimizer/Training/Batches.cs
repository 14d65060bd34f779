using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training;

/// <summary>One epoch of augmented batches in random order; a last, smaller one is left out.</summary>
internal sealed class Batches
{
    private readonly LabelledImages _images;
    private readonly Augmentation _augmentation;
    private readonly Random _random;
    private readonly int[] _order;
    private readonly float[] _pixels;
    private readonly long[] _labels;
    private int _next;

    public Batches(LabelledImages images, float mean, float scale, int batchSize, Random random)
    {
        (_images, _random) = (images, random);
        _augmentation = new Augmentation(images, mean, scale);
        _order = [.. Enumerable.Range(0, images.Count)];
        random.Shuffle(_order);
        batchSize = Math.Min(batchSize, images.Count);
        _pixels = new float[batchSize * images.Width * images.Height];
        _labels = new long[batchSize];
        Count = images.Count / batchSize;
    }

    public int Count { get; }

    /// <summary>The pixels of the last batch.</summary>
    public ReadOnlyMemory<float> Pixels => _pixels;

    public (Tensor Pixels, Tensor Labels) Next(ModelInput input)
    {
        var size = _images.Width * _images.Height;
        for (var i = 0; i < _labels.Length; i++)
        {
            var index = _order[_next++];
            _augmentation.Write(index, _random, _pixels.AsSpan(i * size, size));
            _labels[i] = _images.Labels[index];
        }

        return (tensor(_pixels, [_labels.Length, .. input.Shape.Skip(1)]), tensor(_labels));
    }
}
