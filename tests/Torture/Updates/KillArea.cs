using System.Diagnostics;
using Dunlin.Contracts.Updates;
using Dunlin.Torture.Results;

namespace Dunlin.Torture.Updates;

/// <summary>Row 14: a kill at every call of an update leaves the old model or the new one, and a start goes on from there.</summary>
/// <param name="stage">Where it begins.</param>
/// <param name="agent">The program.</param>
/// <param name="shim">The built Shim/shim.c.</param>
/// <param name="results">Of this area.</param>
/// <param name="directive">By its name in the stage.</param>
/// <param name="expected">How it ends on a healthy device.</param>
internal sealed class KillArea(UpdateStage stage, string agent, string shim, CaseStore results, string directive, UpdateState expected)
{
    /// <summary>Every so many calls the process is really killed there, besides the copy that stands for it.</summary>
    private const int RealKillEvery = 10;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var folder = Path.Combine(stage.Work, "kill-" + directive);
        var state = Path.Combine(folder, "state");
        if (!File.Exists(Path.Combine(folder, "calls.txt")))
        {
            Trees.Delete(folder);
            Directory.CreateDirectory(folder);
            Trees.Copy(stage.Before, state);
        }

        var calls = await new Recorder(stage, agent, shim, folder).RunAsync(directive, state, path => Trees.Copy(state, path), Recorder.IdentityOf, cancellationToken);
        Console.WriteLine($"{directive}: {calls.Count} calls, {calls.Select(call => call.Copy).Distinct().Count()} different states");
        foreach (var group in calls.GroupBy(call => call.Copy)) await CopyAsync(folder, [.. group], cancellationToken);
        for (var number = 1L; number < calls[^1].Number; number += RealKillEvery) await KillAsync(number, cancellationToken);
    }

    private async Task CopyAsync(string folder, IReadOnlyList<RecordedCall> calls, CancellationToken cancellationToken)
    {
        string NameOf(RecordedCall call) => $"{directive} {call.Number} {call.Call}";
        if (calls.All(call => results.IsDone(NameOf(call)))) return;
        var started = Stopwatch.GetTimestamp();
        var state = Path.Combine(stage.Work, "recovering");
        Trees.Delete(state);
        Trees.Copy(Path.Combine(folder, calls[0].Copy), state);
        var journal = Recovery.Journal(state);
        var (broken, seen) = await new Recovery(stage, agent).CheckAsync(state, directive, expected, cancellationToken);
        foreach (var call in calls)
            results.Add(new CaseResult(NameOf(call), broken is null, broken ?? $"killed in {journal}: {seen}", Stopwatch.GetElapsedTime(started).TotalSeconds / calls.Count, new Dictionary<string, double>()));
    }

    private async Task KillAsync(long number, CancellationToken cancellationToken)
    {
        var name = $"{directive} SIGKILL at call {number}";
        if (results.IsDone(name)) return;
        var started = Stopwatch.GetTimestamp();
        var state = Path.Combine(stage.Work, "killed");
        Trees.Delete(state);
        Trees.Copy(stage.Before, state);
        var log = Path.Combine(stage.Work, "killed.log");
        File.Delete(log);
        await using (var device = await DeviceRun.StartAsync(stage, agent, state, stage.Directive(directive), new ShimOptions(shim, "kill", log, number), cancellationToken))
        {
            var died = device.ExitedAsync(TimeSpan.FromSeconds(60), cancellationToken);
            var end = device.EndAsync(TimeSpan.FromSeconds(60), cancellationToken);
            await Task.WhenAny(died, end);
            // The update took fewer calls this time; the kill comes at whatever follows, or not at all.
            if (!died.IsCompleted) await Task.WhenAny(died, Task.Delay(TimeSpan.FromSeconds(3), cancellationToken));
        }

        var last = File.ReadLines(log).LastOrDefault() ?? "no call";
        var journal = Recovery.Journal(state);
        var (broken, seen) = await new Recovery(stage, agent).CheckAsync(state, directive, expected, cancellationToken);
        results.Add(new CaseResult(name, broken is null, broken is null ? $"killed in {journal}: {seen}" : $"at {last}: {broken}", Stopwatch.GetElapsedTime(started).TotalSeconds, new Dictionary<string, double>()));
    }
}
