using Dunlin.Optimizer.Data;

namespace Dunlin.Optimizer.Packing;

/// <summary>Which held-out images form the golden set: the same number of each class, the first ones, in order.</summary>
internal static class GoldenChoice
{
    /// <exception cref="InvalidDataException">A class has too few images.</exception>
    public static IReadOnlyList<int> From(LabelledImages images, int sampleCount)
    {
        var perClass = (sampleCount + images.ClassNames.Count - 1) / images.ClassNames.Count;
        var left = Enumerable.Repeat(perClass, images.ClassNames.Count).ToArray();
        var chosen = new List<int>();
        for (var i = 0; i < images.Count; i++)
            if (left[images.Labels[i]]-- > 0) chosen.Add(i);
        for (var c = 0; c < left.Length; c++)
            if (left[c] > 0) throw new InvalidDataException($"Class '{images.ClassNames[c]}' has {perClass - left[c]} held-out images where the golden set needs {perClass}; take a smaller --golden.");
        return chosen;
    }
}
