using System.Diagnostics;
using System.Globalization;
using Dunlin.Contracts.Updates;
using Dunlin.Torture.Results;

namespace Dunlin.Torture.Updates;

/// <summary>Row 14: a SIGKILL at every call of an update leaves the old model or the new one, and a start goes on from there.</summary>
/// <param name="stage">Where it begins.</param>
/// <param name="agent">The program.</param>
/// <param name="shim">The built Shim/shim.c.</param>
/// <param name="results">Of this area.</param>
/// <param name="directive">By its name in the stage.</param>
/// <param name="expected">How it ends on a healthy device.</param>
internal sealed class KillArea(UpdateStage stage, string agent, string shim, CaseStore results, string directive, UpdateState expected)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>For what follows an update: the garbage, the idle journal.</summary>
    private static readonly TimeSpan Afterwards = TimeSpan.FromSeconds(3);

    private string State => Path.Combine(stage.Work, "killed");

    private string Log => Path.Combine(stage.Work, "killed.log");

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var count = await CountAsync(cancellationToken);
        Console.WriteLine($"{directive}: {count} calls");
        for (var number = 1L; number <= count; number++) await KillAsync(number, cancellationToken);
    }

    // Of an update that nothing breaks off, kept so that a run which was cut goes on with the same.
    private async Task<long> CountAsync(CancellationToken cancellationToken)
    {
        var kept = Path.Combine(stage.Work, $"{directive}.count");
        if (!File.Exists(kept))
        {
            await UpdateAsync("count", 0, cancellationToken);
            await File.WriteAllTextAsync(kept, File.ReadLines(Log).Last().Split(' ')[0], cancellationToken);
        }

        return long.Parse(await File.ReadAllTextAsync(kept, cancellationToken), CultureInfo.InvariantCulture);
    }

    private async Task KillAsync(long number, CancellationToken cancellationToken)
    {
        var name = $"{directive} {number}";
        if (results.IsDone(name)) return;
        var started = Stopwatch.GetTimestamp();
        await UpdateAsync("kill", number, cancellationToken);
        var last = File.ReadLines(Log).LastOrDefault() ?? "no call";
        var journal = Recovery.Journal(State);
        var (broken, seen) = await new Recovery(stage, agent).CheckAsync(State, directive, expected, cancellationToken);
        results.Add(new CaseResult(name, broken is null, broken is null ? $"killed in {journal}: {seen}" : $"at {last}: {broken}", Stopwatch.GetElapsedTime(started).TotalSeconds, new Dictionary<string, double>()));
    }

    private async Task UpdateAsync(string mode, long number, CancellationToken cancellationToken)
    {
        Trees.Delete(State);
        Trees.Copy(stage.Before, State);
        File.Delete(Log);
        await using var device = await DeviceRun.StartAsync(stage, agent, State, stage.Directive(directive), new ShimOptions(shim, mode, Log, number), cancellationToken);
        var died = device.ExitedAsync(Patience, cancellationToken);
        await Task.WhenAny(died, device.EndAsync(Patience, cancellationToken));
        // The kill may come in what follows the end; or not at all, where the update took fewer calls this time.
        if (!died.IsCompleted) await Task.WhenAny(died, Task.Delay(Afterwards, cancellationToken));
    }
}
