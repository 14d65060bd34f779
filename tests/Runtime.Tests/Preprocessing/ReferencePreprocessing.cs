using Dunlin.Contracts.Manifests;

namespace Dunlin.Runtime.Tests.Preprocessing;

/// <summary>What <see cref="InputSpec"/> says, written down in doubles without regard to speed.</summary>
internal sealed class ReferencePreprocessing(InputSpec spec)
{
    /// <summary>A plane of samples over the frame; <see cref="StepX"/> frame pixels a sample.</summary>
    public sealed record Plane(double[,] Samples, double StepX, double StepY);

    public static Plane[] FromYuyv(byte[] bytes, int width, int height)
    {
        var (y, u, v) = (new double[height, width], new double[height, width / 2], new double[height, width / 2]);
        for (var row = 0; row < height; row++)
            for (var x = 0; x < width; x++)
            {
                y[row, x] = bytes[(row * width + x) * 2];
                u[row, x / 2] = bytes[row * width * 2 + x / 2 * 4 + 1];
                v[row, x / 2] = bytes[row * width * 2 + x / 2 * 4 + 3];
            }

        return [new(y, 1, 1), new(u, 2, 1), new(v, 2, 1)];
    }

    public static Plane[] FromRgb(byte[] bytes, int width, int height)
    {
        var planes = new Plane[3];
        for (var c = 0; c < 3; c++)
        {
            var samples = new double[height, width];
            for (var i = 0; i < width * height; i++) samples[i / width, i % width] = bytes[3 * i + c];
            planes[c] = new(samples, 1, 1);
        }

        return planes;
    }

    public double[] Tensor(Plane[] planes, bool yuv, int width, int height)
    {
        var (sx, sy, sw, sh, tx, ty, tw, th) = Rectangles(width, height);
        var tensor = new double[spec.Width * spec.Height * spec.ChannelCount];
        for (var y = 0; y < th; y++)
            for (var x = 0; x < tw; x++)
            {
                var p = planes.Select(plane => Sample(plane, sx, sy, sw, sh, tw, th, x, y)).ToArray();
                var channels = Channels(p, yuv);
                for (var c = 0; c < spec.ChannelCount; c++)
                {
                    var value = (channels[c] - spec.Mean[c]) * spec.Scale[c];
                    var (row, column) = (ty + y, tx + x);
                    tensor[spec.Layout == TensorLayout.Nchw
                        ? (c * spec.Height + row) * spec.Width + column
                        : (row * spec.Width + column) * spec.ChannelCount + c] = value;
                }
            }

        return tensor;
    }

    private (double, double, double, double, int, int, int, int) Rectangles(int width, int height)
    {
        var roi = spec.RegionOfInterest ?? new RegionOfInterest { X = 0, Y = 0, Width = 1, Height = 1 };
        double x = roi.X * width, y = roi.Y * height, w = roi.Width * width, h = roi.Height * height;
        if (spec.Fit == FitMode.Stretch) return (x, y, w, h, 0, 0, spec.Width, spec.Height);
        var wanted = (double)spec.Width / spec.Height;
        if (spec.Fit == FitMode.CenterCrop)
        {
            var cropWidth = (w / h > wanted ? h * wanted : w) * (spec.CropFraction ?? 1);
            var cropHeight = cropWidth / wanted;
            return (x + (w - cropWidth) / 2, y + (h - cropHeight) / 2, cropWidth, cropHeight, 0, 0, spec.Width, spec.Height);
        }

        var scale = Math.Min(spec.Width / w, spec.Height / h);
        var targetWidth = Math.Clamp((int)Math.Round(w * scale), 1, spec.Width);
        var targetHeight = Math.Clamp((int)Math.Round(h * scale), 1, spec.Height);
        return (x, y, w, h, (spec.Width - targetWidth) / 2, (spec.Height - targetHeight) / 2, targetWidth, targetHeight);
    }

    private double Sample(Plane plane, double sx, double sy, double sw, double sh, int tw, int th, int x, int y)
    {
        var across = Weights(plane.Samples.GetLength(1), sx / plane.StepX, sw / plane.StepX, tw, x);
        var down = Weights(plane.Samples.GetLength(0), sy / plane.StepY, sh / plane.StepY, th, y);
        return down.Sum(row => row.Weight * across.Sum(column => column.Weight * plane.Samples[row.Index, column.Index]));
    }

    private List<(int Index, double Weight)> Weights(int count, double start, double length, int targets, int i)
    {
        var low = Math.Clamp((int)Math.Floor(start + 1e-6), 0, count - 1);
        var high = Math.Clamp((int)Math.Ceiling(start + length - 1e-6) - 1, low, count - 1);
        var step = length / targets;
        if (spec.Interpolation == Interpolation.Bilinear || step <= 1)
        {
            var at = start + (i + 0.5) * step - 0.5;
            var first = (int)Math.Floor(at);
            return [(Math.Clamp(first, low, high), 1 - (at - first)), (Math.Clamp(first + 1, low, high), at - first)];
        }

        var covered = Enumerable.Range(low, high - low + 1)
            .Select(index => (index, Math.Min(index + 1, start + (i + 1) * step) - Math.Max(index, start + i * step)))
            .Where(pixel => pixel.Item2 > 0).ToList();
        var sum = covered.Sum(pixel => pixel.Item2);
        return [.. covered.Select(pixel => (pixel.index, pixel.Item2 / sum))];
    }

    private double[] Channels(double[] p, bool yuv)
    {
        double Clamp(double value) => Math.Clamp(value, 0, 255);
        if (yuv)
        {
            double luma = (p[0] - 16) * 255 / 219, u = (p[1] - 128) * 255 / 224, v = (p[2] - 128) * 255 / 224;
            if (spec.Channels == ChannelOrder.Gray) return [Clamp(luma)];
            p = [Clamp(luma + 1.402 * v), Clamp(luma - 0.344136286 * u - 0.714136286 * v), Clamp(luma + 1.772 * u)];
        }

        return spec.Channels switch
        {
            ChannelOrder.Gray => [0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]],
            ChannelOrder.Bgr => [p[2], p[1], p[0]],
            _ => p,
        };
    }
}
