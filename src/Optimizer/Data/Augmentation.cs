namespace Dunlin.Optimizer.Data;

/// <summary>
/// Random views of training images, written as normalized floats: mirrored, shifted by up to a pixel,
/// and softened by up to what enlarging on a camera frame and shrinking again costs. For one thread at a time.
/// </summary>
internal sealed class Augmentation(LabelledImages images, float mean, float scale)
{
    private const int MaximumShift = 1;
    private readonly float[] _soft = new float[images.Width * images.Height];

    /// <summary>One view of one image; <paramref name="target"/> has width × height elements.</summary>
    public void Write(int index, Random random, Span<float> target)
    {
        var (width, height) = (images.Width, images.Height);
        var source = images.Image(index);
        var strength = random.NextSingle();
        Soften(source, width, height, strength, _soft);

        var mirrored = random.Next(2) == 0;
        var dx = random.Next(-MaximumShift, MaximumShift + 1);
        var dy = random.Next(-MaximumShift, MaximumShift + 1);
        for (var y = 0; y < height; y++)
        {
            var fromY = y + dy;
            for (var x = 0; x < width; x++)
            {
                var fromX = (mirrored ? width - 1 - x : x) + dx;
                var inside = (uint)fromX < (uint)width && (uint)fromY < (uint)height;
                target[y * width + x] = ((inside ? _soft[fromY * width + fromX] : 0) - mean) * scale;
            }
        }
    }

    // Linear enlargement followed by the area mean is the separable kernel (1, 6, 1) / 8; strength 0…1 blends it in.
    private static void Soften(ReadOnlySpan<byte> source, int width, int height, float strength, Span<float> target)
    {
        var side = strength / 8;
        var centre = 1 - 2 * side;
        for (var y = 0; y < height; y++)
        {
            var (above, below) = (Math.Max(y - 1, 0) * width, Math.Min(y + 1, height - 1) * width);
            for (var x = 0; x < width; x++)
            {
                var (left, right) = (Math.Max(x - 1, 0), Math.Min(x + 1, width - 1));
                var row = y * width;
                target[row + x] =
                    centre * (centre * source[row + x] + side * (source[row + left] + source[row + right]))
                    + side * (centre * (source[above + x] + source[below + x])
                        + side * (source[above + left] + source[above + right] + source[below + left] + source[below + right]));
            }
        }
    }
}
