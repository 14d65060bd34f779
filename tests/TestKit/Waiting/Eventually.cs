using System.Diagnostics;
using Xunit;

namespace Dunlin.TestKit.Waiting;

/// <summary>Waits on a condition with a deadline, which is what tests do instead of sleeping.</summary>
public static class Eventually
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? within = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, within);

    public static Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? within = null) =>
        TrueAsync(condition, () => what, within);

    public static Task TrueAsync(Func<bool> condition, Func<string> what, TimeSpan? within = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, within);

    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string> what, TimeSpan? within = null)
    {
        var started = Stopwatch.GetTimestamp();
        var patience = within ?? Patience;
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > patience) Assert.Fail($"Within {patience.TotalSeconds:0.#} s it did not come true: {what()}");
            await Task.Delay(10);
        }
    }
}
