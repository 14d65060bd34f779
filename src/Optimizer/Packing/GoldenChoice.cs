using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;

namespace Dunlin.Optimizer.Packing;

/// <summary>Which held-out images form the golden set: class after class one image, the first ones, until there are enough.</summary>
internal static class GoldenChoice
{
    private const int UsualSampleCount = 400;

    /// <summary>What is not pixels, labels or predictions: the header, and a name for each variant.</summary>
    private const int OverheadByteCount = 64 * 1024;

    /// <summary>The golden set, of images that can be read.</summary>
    /// <param name="wanted">Null for the usual number, or as many as there are and fit.</param>
    /// <param name="images">Held-out images.</param>
    /// <param name="classes">Say each image's label.</param>
    /// <param name="input">The images' size.</param>
    /// <param name="variantCount">Each has a prediction for each image.</param>
    /// <param name="unreadableShare">Share, 0…1, that may be unreadable.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    /// <exception cref="InvalidDataException">There are too few images, too many are unreadable, or so many do not fit.</exception>
    public static PixelSet Read(
        int? wanted, IReadOnlyList<ImageSample> images, ClassMap classes, InputSpec input, int variantCount, double unreadableShare, CancellationToken cancellationToken)
    {
        var unreadable = new List<UnreadableImage>();
        while (true)
        {
            var left = images.Where(i => !unreadable.Exists(u => u.Name == i.Name)).ToList();
            var chosen = From(left, SampleCount(wanted, left.Count, input, variantCount), unreadable.Count);
            var golden = PixelSet.Read(chosen, classes, input, unreadableShare: 1, cancellationToken);
            if (golden.Unreadable.Count == 0) return golden;
            unreadable.AddRange(golden.Unreadable);
            golden.Dispose();
            UnreadableImage.RequireFew(unreadable, images.Count, unreadableShare);
        }
    }

    /// <param name="wanted">Null for the usual number, or as many as there are and fit.</param>
    /// <param name="imageCount">Held-out images.</param>
    /// <param name="input">The images' size.</param>
    /// <param name="variantCount">Each has a prediction for each image.</param>
    /// <exception cref="InvalidDataException">So many do not fit.</exception>
    public static int SampleCount(int? wanted, int imageCount, InputSpec input, int variantCount)
    {
        var each = (long)input.Width * input.Height * input.ChannelCount + 2 * (1 + variantCount);
        var most = (int)Math.Min((GoldenSpec.MaximumByteCount - OverheadByteCount) / each, int.MaxValue);
        var count = wanted ?? Math.Clamp(Math.Min(most, imageCount), GoldenSpec.MinimumSampleCount, UsualSampleCount);
        return count <= most
            ? count
            : throw new InvalidDataException($"A golden set of {count} images of {input.Width}×{input.Height} is larger than {GoldenSpec.MaximumByteCount >> 20} MiB, which hold {most}; {(most >= GoldenSpec.MinimumSampleCount ? "take a smaller --golden" : "take a model of smaller images")}.");
    }

    /// <param name="images">To choose from.</param>
    /// <param name="sampleCount">So many.</param>
    /// <param name="unreadableCount">Images that are not among them, since they cannot be read.</param>
    /// <exception cref="InvalidDataException">There are too few images.</exception>
    public static IReadOnlyList<ImageSample> From(IReadOnlyList<ImageSample> images, int sampleCount, int unreadableCount = 0)
    {
        if (images.Count < sampleCount)
            throw new InvalidDataException($"There are {images.Count} held-out images{(unreadableCount > 0 ? $", and {unreadableCount} that cannot be read," : "")} where the golden set needs {sampleCount}; {(sampleCount > GoldenSpec.MinimumSampleCount ? "take a smaller --golden" : "give more images")}, or make a split with a larger share for them (dunlin-optimizer split --shares).");
        var seen = new Dictionary<string, int>();
        return [.. images
            .Select((image, place) => (image, place, round: seen[image.ClassName] = seen.GetValueOrDefault(image.ClassName) + 1))
            .OrderBy(i => i.round).Take(sampleCount).OrderBy(i => i.place).Select(i => i.image)];
    }
}
