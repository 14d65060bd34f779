using System.Diagnostics;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.State;
using Dunlin.Torture.Results;

namespace Dunlin.Torture.Updates;

/// <summary>Row 17: an update on an ext4 with only so much room ends cleanly, the device goes on serving, and with room it succeeds.</summary>
internal sealed class FullArea(UpdateStage stage, string agent, CaseStore results)
{
    private const long DiskByteCount = 32L * 1024 * 1024;
    private static readonly int[] FreeKilobytes = [0, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 5120, 6144, 8192];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var free in FreeKilobytes)
        {
            var name = FormattableString.Invariant($"{free} kB free");
            if (results.IsDone(name)) continue;
            var started = Stopwatch.GetTimestamp();
            using var disk = LoopDisk.Make(Path.Combine(stage.Work, "full.img"), Path.Combine(stage.Work, "full"), DiskByteCount);
            var state = Path.Combine(disk.Folder, "state");
            Trees.Copy(stage.Before, state);
            var filler = Path.Combine(disk.Folder, "filler");
            Fill(disk.Folder, filler, free * 1024L);
            var (broken, seen) = await TryAsync(state, filler, cancellationToken);
            results.Add(new CaseResult(name, broken is null, broken ?? seen, Stopwatch.GetElapsedTime(started).TotalSeconds, new Dictionary<string, double>()));
        }
    }

    private async Task<(string? Broken, string Seen)> TryAsync(string state, string filler, CancellationToken cancellationToken)
    {
        var floors = StateInvariants.FloorsOf(stage.Before);
        string how;
        await using (var device = await DeviceRun.StartAsync(stage, agent, state, stage.Directive("good"), shim: null, cancellationToken))
        {
            var end = await device.EndAsync(TimeSpan.FromSeconds(25), cancellationToken);
            if (device.HasExited) return ($"the agent ended on the full disk\n{device.Log}", "");
            if (!await device.ClassifiesAsync(TimeSpan.FromSeconds(15), cancellationToken)) return ($"nothing was classified on the full disk\n{device.Log}", "");
            how = end is null ? "the update waits" : $"{end.Result} {end.Reason}".Trim();
            if (StateInvariants.Check(state, floors) is [var first, ..]) return ($"{how}, and {first}", "");
        }

        File.Delete(filler);
        var id = UpdateStage.IdOf(stage.Directive("good"));
        if (StateInvariants.EndOf(state, id) is not (null or UpdateState.Committed)) return (null, how);
        var (broken, _) = await new Recovery(stage, agent).CheckAsync(state, "good", UpdateState.Committed, cancellationToken);
        return broken is null ? (null, $"{how}; with room, committed") : ($"{how}; with room: {broken}", "");
    }

    private static void Fill(string folder, string filler, long leave)
    {
        var free = new DriveInfo(folder).AvailableFreeSpace;
        Trees.Run("fallocate", "-l", FormattableString.Invariant($"{Math.Max(4096, free - leave)}"), filler);
    }
}
