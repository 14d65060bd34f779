namespace Dunlin.Bench.Measuring;

/// <summary>Runs legs in the order A B C C B A, so that drift of the machine falls on all of them alike.</summary>
internal static class Interleaved
{
    /// <returns>Per leg its measurements; those of one index were made side by side.</returns>
    public static async Task<IReadOnlyList<IReadOnlyList<T>>> RunAsync<T>(int rounds, params Func<Task<T>>[] legs)
    {
        var results = legs.Select(_ => new List<T>()).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            foreach (var forward in new[] { true, false })
            {
                for (var i = 0; i < legs.Length; i++)
                {
                    var leg = forward ? i : legs.Length - 1 - i;
                    results[leg].Add(await legs[leg]());
                }
            }
        }

        return results;
    }
}
