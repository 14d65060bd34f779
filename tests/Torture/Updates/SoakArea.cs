using System.Diagnostics;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.State;
using Dunlin.Torture.Results;

namespace Dunlin.Torture.Updates;

/// <summary>Row 39: after a hundred updates in one process, supervisor and worker hold what they held after the first ones.</summary>
internal sealed class SoakArea(UpdateStage stage, string agent, CaseStore results)
{
    private const int UpdatesOfARound = 100;

    /// <summary>What caches and pools take in the first updates they keep.</summary>
    private const int WarmUp = 20;

    /// <summary>Anonymous memory per update that is still noise: after ten thousand updates it would be 100 MB.</summary>
    private const double MostKilobytesPerUpdate = 10;

    /// <summary>Three in a hundred updates: the pool of threads breathes by one or two.</summary>
    private const double MostHandlesPerUpdate = 0.03;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var state = Path.Combine(stage.Work, "soaking");
        for (var from = 1; from <= UpdateStage.SoakCount; from += UpdatesOfARound)
        {
            var name = FormattableString.Invariant($"updates {from} to {from + UpdatesOfARound - 1}");
            if (results.IsDone(name)) continue;
            // Each round goes on where the one before ended, or begins anew where it was cut.
            var beginning = Path.Combine(stage.Work, FormattableString.Invariant($"soak-{from}"));
            Trees.Delete(state);
            Trees.Copy(from == 1 ? stage.Before : beginning, state);
            var started = Stopwatch.GetTimestamp();
            var (broken, seen, numbers) = await RoundAsync(state, from, cancellationToken);
            if (broken is null)
            {
                var next = Path.Combine(stage.Work, FormattableString.Invariant($"soak-{from + UpdatesOfARound}"));
                Trees.Delete(next);
                Trees.Copy(state, next);
            }

            results.Add(new CaseResult(name, broken is null, broken ?? seen, Stopwatch.GetElapsedTime(started).TotalSeconds, numbers));
            if (broken is not null) return;
        }
    }

    private async Task<(string? Broken, string Seen, IReadOnlyDictionary<string, double> Numbers)> RoundAsync(string state, int from, CancellationToken cancellationToken)
    {
        var none = new Dictionary<string, double>();
        var floors = StateInvariants.FloorsOf(state);
        var sizes = new List<(ProcessSize Supervisor, ProcessSize Worker)>();
        await using (var device = await DeviceRun.StartAsync(stage, agent, state, stage.Directive(UpdateStage.Soak(from)), shim: null, cancellationToken))
        {
            for (var i = from; i < from + UpdatesOfARound; i++)
            {
                var directive = stage.Directive(UpdateStage.Soak(i));
                var end = i == from ? await device.EndAsync(Patience, cancellationToken) : await device.PushAsync(directive, Patience, cancellationToken);
                if (end?.Result != UpdateState.Committed) return ($"update {i} ended {end?.Result} ({end?.Reason}: {end?.Detail})\n{device.Log}", "", none);
                if (ProcessTable.ChildOf(device.Id, "worker") is not { } worker) return ($"after update {i} there is no worker\n{device.Log}", "", none);
                sizes.Add((ProcessSize.Of(device.Id), ProcessSize.Of(worker)));
            }

            await device.StopAsync();
        }

        if (StateInvariants.Check(state, floors) is [var first, ..]) return (first, "", none);
        var warm = sizes[WarmUp..];
        var numbers = new Dictionary<string, double>
        {
            ["supervisorMegabytes"] = warm.Max(size => size.Supervisor.Megabytes),
            ["workerMegabytes"] = warm.Max(size => size.Worker.Megabytes),
            ["supervisorKilobytesPerUpdate"] = 1024 * Growth.PerStep([.. warm.Select(size => size.Supervisor.Megabytes)]),
            ["workerKilobytesPerUpdate"] = 1024 * Growth.PerStep([.. warm.Select(size => size.Worker.Megabytes)]),
            ["descriptorsPerUpdate"] = Math.Max(Growth.PerStep([.. warm.Select(size => size.Supervisor.Descriptors)]), Growth.PerStep([.. warm.Select(size => size.Worker.Descriptors)])),
            ["threadsPerUpdate"] = Math.Max(Growth.PerStep([.. warm.Select(size => size.Supervisor.Threads)]), Growth.PerStep([.. warm.Select(size => size.Worker.Threads)])),
        };
        var grown = numbers.Where(number => number.Key.EndsWith("PerUpdate", StringComparison.Ordinal)
            && number.Value > (number.Key.Contains("Kilobytes", StringComparison.Ordinal) ? MostKilobytesPerUpdate : MostHandlesPerUpdate)).Select(number => FormattableString.Invariant($"{number.Key} {number.Value:0.000}")).ToList();
        return (grown.Count == 0 ? null : string.Join(", ", grown), "all committed, and nothing grew", numbers);
    }
}
