namespace Dunlin.Optimizer.Data;

/// <summary>Gray images of one size with their classes, in memory.</summary>
internal sealed class LabelledImages
{
    private readonly byte[] _pixels;
    private readonly byte[] _labels;

    /// <exception cref="InvalidDataException">The counts of images and labels differ, or a label names no class.</exception>
    public LabelledImages(byte[] pixels, byte[] labels, int width, int height, IReadOnlyList<string> classNames)
    {
        var count = pixels.Length / (width * height);
        if (count != labels.Length)
            throw new InvalidDataException($"There are {count} images but {labels.Length} labels; they must be of the same set.");
        var highest = labels.Length == 0 ? 0 : labels.Max();
        if (highest >= classNames.Count)
            throw new InvalidDataException($"A label is {highest}, but there are only {classNames.Count} class names.");
        (_pixels, _labels, Width, Height, ClassNames) = (pixels, labels, width, height, classNames);
    }

    public int Count => _labels.Length;

    /// <summary>Pixels.</summary>
    public int Width { get; }

    /// <summary>Pixels.</summary>
    public int Height { get; }

    public IReadOnlyList<string> ClassNames { get; }

    public ReadOnlySpan<byte> Labels => _labels;

    /// <summary>The pixels of one image, row by row.</summary>
    public ReadOnlySpan<byte> Image(int index) => _pixels.AsSpan(index * Width * Height, Width * Height);

    /// <summary>The images at these places, in this order.</summary>
    public LabelledImages Select(IReadOnlyList<int> indices)
    {
        var size = Width * Height;
        var pixels = new byte[indices.Count * size];
        var labels = new byte[indices.Count];
        for (var i = 0; i < indices.Count; i++)
        {
            Image(indices[i]).CopyTo(pixels.AsSpan(i * size));
            labels[i] = _labels[indices[i]];
        }

        return new LabelledImages(pixels, labels, Width, Height, ClassNames);
    }

    /// <summary>The first images, at most so many.</summary>
    public LabelledImages Take(int count) => Select([.. Enumerable.Range(0, Math.Min(count, Count))]);
}
