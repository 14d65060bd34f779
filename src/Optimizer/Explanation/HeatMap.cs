namespace Dunlin.Optimizer.Explanation;

/// <summary>How much each part of a model's input speaks for a class, in cells of equal size over the whole input, row by row.</summary>
internal sealed record HeatMap(int Width, int Height, float[] Values)
{
    public float this[int x, int y] => Values[y * Width + x];

    /// <summary>The same map in other cells, by bilinear interpolation between their centres.</summary>
    public HeatMap Resized(int width, int height)
    {
        if ((width, height) == (Width, Height)) return this;
        var values = new float[width * height];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                values[y * width + x] = At((x + 0.5f) * Width / width - 0.5f, (y + 0.5f) * Height / height - 0.5f);
        return new HeatMap(width, height, values);
    }

    /// <summary>From 0, where the map is least, to 1; all 0 where it is flat.</summary>
    public HeatMap Normalized()
    {
        var (least, most) = (Values.Min(), Values.Max());
        return this with { Values = [.. Values.Select(v => most > least ? (v - least) / (most - least) : 0)] };
    }

    /// <summary>Pearson's correlation over the cells of the finer of both; null where one is flat.</summary>
    public double? CorrelationWith(HeatMap other)
    {
        var (width, height) = (Math.Max(Width, other.Width), Math.Max(Height, other.Height));
        var (a, b) = (Resized(width, height).Values, other.Resized(width, height).Values);
        var (meanA, meanB) = (a.Average(v => (double)v), b.Average(v => (double)v));
        var (both, squaresA, squaresB) = (0.0, 0.0, 0.0);
        for (var i = 0; i < a.Length; i++)
        {
            both += (a[i] - meanA) * (b[i] - meanB);
            squaresA += (a[i] - meanA) * (a[i] - meanA);
            squaresB += (b[i] - meanB) * (b[i] - meanB);
        }

        return squaresA > 0 && squaresB > 0 ? both / Math.Sqrt(squaresA * squaresB) : null;
    }

    // Outside of the outer centres the map is as it is there.
    private float At(float x, float y)
    {
        (x, y) = (Math.Clamp(x, 0, Width - 1), Math.Clamp(y, 0, Height - 1));
        var (left, top) = ((int)x, (int)y);
        var (right, bottom) = (Math.Min(left + 1, Width - 1), Math.Min(top + 1, Height - 1));
        var upper = float.Lerp(this[left, top], this[right, top], x - left);
        return float.Lerp(upper, float.Lerp(this[left, bottom], this[right, bottom], x - left), y - top);
    }
}
