using System.Diagnostics;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.State;
using Dunlin.Torture.Results;

namespace Dunlin.Torture.Updates;

/// <summary>Row 16: an fsync that fails never turns into success. Each fsync of an update fails once with EIO, and once with ENOSPC.</summary>
internal sealed class SyncArea(UpdateStage stage, string agent, string shim, CaseStore results)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await FailAsync("EIO", cancellationToken);
        await FailAsync("ENOSPC", cancellationToken);
    }

    private async Task FailAsync(string error, CancellationToken cancellationToken)
    {
        for (var number = 1L; ; number++)
        {
            var name = $"fsync {number} {error}";
            if (results.IsDone(name)) continue;
            var started = Stopwatch.GetTimestamp();
            var state = Path.Combine(stage.Work, "syncing");
            Trees.Delete(state);
            Trees.Copy(stage.Before, state);
            var log = Path.Combine(stage.Work, "syncing.log");
            File.Delete(log);
            string how;
            string? excuse = null;
            await using (var device = await DeviceRun.StartAsync(stage, agent, state, stage.Directive("good"), new ShimOptions(shim, "sync", log, number, error), cancellationToken))
            {
                var end = await device.EndAsync(TimeSpan.FromSeconds(45), cancellationToken);
                // Nothing but the disk was made to fail.
                if (end is not (null or { Result: UpdateState.Committed } or { Reason: "disk.failed" or "disk.full" or "fetch.disk-failed" or "fetch.no-space" })) excuse = $"it ended {end.Result} for {end.Reason}: {end.Detail}\n{device.Log}";
                how = end is not null ? $"{end.Result} {end.Reason}" : device.HasExited ? "the agent ended" : "the update waits";
                await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            }

            var failed = File.ReadLines(log).FirstOrDefault(line => line.Split(' ') is [_, var sync, "fsync" or "fdatasync", ..] && sync == number.ToString(System.Globalization.CultureInfo.InvariantCulture));
            if (failed is null) return;
            var file = failed.Split(' ', 4)[3];
            var broken = excuse ?? (StateInvariants.Check(state, StateInvariants.FloorsOf(stage.Before)) is [var first, ..] ? first : null);
            // A failed fsync may end the update as rejected; what it may not do is leave a broken state or a release that is half there.
            var id = UpdateStage.IdOf(stage.Directive("good"));
            if (broken is null && StateInvariants.EndOf(state, id) is null or UpdateState.Committed)
                (broken, _) = await new Recovery(stage, agent).CheckAsync(state, "good", UpdateState.Committed, cancellationToken);
            results.Add(new CaseResult(name, broken is null, broken is null ? $"{error}: {how.Trim()}" : $"{file}: {broken}", Stopwatch.GetElapsedTime(started).TotalSeconds, new Dictionary<string, double>()));
        }
    }
}
