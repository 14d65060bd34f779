namespace Dunlin.Runtime.Racing;

/// <summary>Splits a field that does not fit into memory at once; the winner of each wave meets the next.</summary>
internal static class Waves
{
    /// <param name="byteCounts">By contender.</param>
    /// <param name="limit">Null: one wave.</param>
    /// <returns>Positions by wave, in their order. A wave has at least one contender, even if that is too large: the race then fails loudly rather than never.</returns>
    public static IReadOnlyList<IReadOnlyList<int>> Plan(IReadOnlyList<long> byteCounts, long? limit)
    {
        var waves = new List<List<int>>();
        long used = 0, largest = 0;
        for (var i = 0; i < byteCounts.Count; i++)
        {
            if (waves.Count == 0 || used + byteCounts[i] > limit)
            {
                waves.Add([]);
                // Any of the earlier ones may be carried over.
                used = largest;
            }

            waves[^1].Add(i);
            used += byteCounts[i];
            largest = Math.Max(largest, byteCounts[i]);
        }

        return waves;
    }
}
