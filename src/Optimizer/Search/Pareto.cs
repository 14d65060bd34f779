namespace Dunlin.Optimizer.Search;

/// <summary>What no other beats in everything.</summary>
internal static class Pareto
{
    /// <summary>Whether the first is nowhere worse and somewhere better; less is better.</summary>
    public static bool Dominates(ReadOnlySpan<double> first, ReadOnlySpan<double> second)
    {
        var better = false;
        for (var i = 0; i < first.Length; i++)
        {
            if (first[i] > second[i]) return false;
            better |= first[i] < second[i];
        }

        return better;
    }

    /// <summary>Those that nothing dominates, in their order; of equal ones all.</summary>
    /// <param name="items">To choose from.</param>
    /// <param name="costs">The same number of costs for each; less is better.</param>
    public static IReadOnlyList<T> Front<T>(IReadOnlyList<T> items, Func<T, double[]> costs)
    {
        var all = items.Select(costs).ToList();
        return [.. items.Where((_, i) => !all.Exists(other => Dominates(other, all[i])))];
    }

    /// <summary>The front, then the front of what is left, and so on.</summary>
    public static IEnumerable<IReadOnlyList<T>> Layers<T>(IReadOnlyList<T> items, Func<T, double[]> costs)
    {
        while (items.Count > 0)
        {
            var front = Front(items, costs);
            yield return front;
            items = [.. items.Except(front)];
        }
    }

    /// <summary>At most so many: both ends and what lies most evenly between them.</summary>
    /// <param name="items">Different ones.</param>
    /// <param name="place">Where an item lies; distances of it count.</param>
    /// <param name="count">At least 1; if it is 1, the lowest.</param>
    public static IReadOnlyList<T> Spread<T>(IReadOnlyList<T> items, Func<T, double> place, int count)
    {
        var left = items.OrderBy(place).ToList();
        while (left.Count > count)
        {
            // Whose neighbours are nearest to each other is missed least; the ends stay as long as there is anything between them.
            var least = left.Count == 2 ? 1 : Enumerable.Range(1, left.Count - 2).MinBy(i => place(left[i + 1]) - place(left[i - 1]));
            left.RemoveAt(least);
        }

        return left;
    }
}
