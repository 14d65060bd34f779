using System.Buffers;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Optimizer.Data;

/// <summary>What may be changed in an image that is trained on, since the class stays the same.</summary>
[Flags]
internal enum Augmentations
{
    None = 0,

    /// <summary>Left and right are exchanged.</summary>
    Flip = 1,

    /// <summary>Moved by up to a sixteenth of the side; the edge's pixels are repeated.</summary>
    Shift = 2,

    /// <summary>Softened by up to what enlarging on a camera frame and shrinking again costs, which the images of a data set have not been through.</summary>
    Soften = 4,

    /// <summary>Brightness, contrast and saturation of images in colour.</summary>
    Colour = 8,

    All = Flip | Shift | Soften | Colour,
}

/// <summary>Views of training images as a model takes them. View v of image i depends on the seed, i and v only. For any number of threads.</summary>
internal sealed class Augmentation(PixelSet images, Augmentations kinds, int seed)
{
    private readonly int _channels = images.ChannelCount;
    private readonly float[] _luma = images.Input.Channels switch
    {
        ChannelOrder.Rgb => [0.299f, 0.587f, 0.114f],
        ChannelOrder.Bgr => [0.114f, 0.587f, 0.299f],
        _ => [1],
    };

    /// <summary>One view of one image; <paramref name="tensor"/> has <see cref="PixelSet.Size"/> elements.</summary>
    public void Write(int index, int view, Span<float> tensor)
    {
        var change = ViewChange.Of(kinds, seed, index, view);
        var rented = ArrayPool<float>.Shared.Rent(2 * images.Size);
        Span<float> soft = rented.AsSpan(0, images.Size), moved = rented.AsSpan(images.Size, images.Size);
        Soften(images.Pixels(index), change.Softness, soft);
        Move(soft, change, moved);
        if (_channels == 3) Tint(moved, change);
        ImageTensor.Write<float>(images.Input, moved, tensor);
        ArrayPool<float>.Shared.Return(rented);
    }

    // Linear enlargement followed by the area mean is the separable kernel (1, 6, 1) / 8; softness 0…1 blends it in.
    private void Soften(ReadOnlySpan<byte> source, float softness, Span<float> target)
    {
        var (side, width, height) = (softness / 8, images.Width * _channels, images.Height);
        var centre = 1 - 2 * side;
        for (var y = 0; y < height; y++)
        {
            var row = source.Slice(y * width, width);
            var above = source.Slice(Math.Max(y - 1, 0) * width, width);
            var below = source.Slice(Math.Min(y + 1, height - 1) * width, width);
            for (var x = 0; x < width; x++)
            {
                var left = x < _channels ? x : x - _channels;
                var right = x + _channels < width ? x + _channels : x;
                target[y * width + x] =
                    centre * (centre * row[x] + side * (row[left] + row[right]))
                    + side * (centre * (above[x] + below[x]) + side * (above[left] + above[right] + below[left] + below[right]));
            }
        }
    }

    private void Move(ReadOnlySpan<float> source, in ViewChange change, Span<float> target)
    {
        var (width, height) = (images.Width, images.Height);
        var (dx, dy) = (change.Columns(width), change.Rows(height));
        var at = 0;
        for (var y = 0; y < height; y++)
        {
            var row = Math.Clamp(y + dy, 0, height - 1) * width;
            for (var x = 0; x < width; x++)
            {
                var column = Math.Clamp((change.IsMirrored ? width - 1 - x : x) + dx, 0, width - 1);
                for (var c = 0; c < _channels; c++) target[at++] = source[(row + column) * _channels + c];
            }
        }
    }

    private void Tint(Span<float> pixels, in ViewChange change)
    {
        if (change is { Brightness: 1, Contrast: 1, Saturation: 1 }) return;
        var mean = 0.0;
        for (var i = 0; i < pixels.Length; i++) mean += _luma[i % 3] * pixels[i];
        var gray = (float)(mean * 3 / pixels.Length);
        for (var i = 0; i < pixels.Length; i += 3)
        {
            var luma = _luma[0] * pixels[i] + _luma[1] * pixels[i + 1] + _luma[2] * pixels[i + 2];
            foreach (ref var pixel in pixels.Slice(i, 3))
            {
                var saturated = luma + change.Saturation * (pixel - luma);
                pixel = Math.Clamp(change.Brightness * (gray + change.Contrast * (saturated - gray)), 0, 255);
            }
        }
    }
}
