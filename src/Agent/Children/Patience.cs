namespace Dunlin.Agent.Children;

/// <summary>Waits for what a child does, in the time in which the board runs: in a <see cref="Standstill"/> it could do nothing.</summary>
internal static class Patience
{
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(1);

    /// <exception cref="TimeoutException">It is not done within <paramref name="limit"/>.</exception>
    public static async Task<T> WaitAsync<T>(Task<T> done, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        var standstill = new Standstill(time, Slice);
        var left = limit;
        while (true)
        {
            var began = time.GetTimestamp();
            var slice = left < Slice ? left : Slice;
            try
            {
                return await done.WaitAsync(slice, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                left -= time.GetElapsedTime(began + standstill.Look());
                if (left <= TimeSpan.Zero) throw;
            }
        }
    }
}
