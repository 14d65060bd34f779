using Dunlin.Optimizer.Data;

namespace Dunlin.Optimizer.Packing;

/// <summary>Which held-out images form the golden set: class after class one image, the first ones, until there are enough.</summary>
internal static class GoldenChoice
{
    /// <exception cref="InvalidDataException">There are too few images.</exception>
    public static IReadOnlyList<ImageSample> From(IReadOnlyList<ImageSample> images, int sampleCount)
    {
        if (images.Count < sampleCount)
            throw new InvalidDataException($"There are {images.Count} held-out images where the golden set needs {sampleCount}; take a smaller --golden, or make a split with a larger share for them.");
        var seen = new Dictionary<string, int>();
        return [.. images
            .Select((image, place) => (image, place, round: seen[image.ClassName] = seen.GetValueOrDefault(image.ClassName) + 1))
            .OrderBy(i => i.round).Take(sampleCount).OrderBy(i => i.place).Select(i => i.image)];
    }
}
