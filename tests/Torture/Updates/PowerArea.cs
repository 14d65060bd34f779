using System.Diagnostics;
using System.Security.Cryptography;
using Dunlin.Contracts.Updates;
using Dunlin.Torture.Results;

namespace Dunlin.Torture.Updates;

/// <summary>
/// Row 15: the state directory lies on an ext4 of its own, whose image is copied, without a sync, at each call of an
/// update. A copy holds what the file system had written by then, as a disk after a power cut; it is mounted, which plays
/// its journal back, and must recover.
/// </summary>
internal sealed class PowerArea(UpdateStage stage, string agent, string shim, CaseStore results)
{
    private const long DiskByteCount = 24L * 1024 * 1024;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var folder = Path.Combine(stage.Work, "images");
        var mounted = Path.Combine(stage.Work, "disk");
        IReadOnlyList<RecordedCall> calls;
        var recorder = new Recorder(stage, agent, shim, folder);
        if (File.Exists(Path.Combine(folder, "calls.txt")))
        {
            calls = await recorder.RunAsync("", _ => { }, path => path, cancellationToken);
        }
        else
        {
            Trees.Delete(folder);
            using var disk = LoopDisk.Make(Path.Combine(stage.Work, "disk.img"), mounted, DiskByteCount);
            var state = Path.Combine(mounted, "state");
            Trees.Copy(stage.Before, state);
            Trees.Run("sync", "-f", mounted);
            calls = await recorder.RunAsync(state, path => Trees.Run("cp", "--sparse=always", disk.Image, path), IdentityOf, cancellationToken);
        }

        Console.WriteLine($"{calls.Count} calls, {calls.Select(call => call.Copy).Distinct().Count()} different images");
        foreach (var group in calls.GroupBy(call => call.Copy)) await CheckAsync(folder, [.. group], cancellationToken);
    }

    private async Task CheckAsync(string folder, IReadOnlyList<RecordedCall> calls, CancellationToken cancellationToken)
    {
        string NameOf(RecordedCall call) => $"{call.Number} {call.Call}";
        if (calls.All(call => results.IsDone(NameOf(call)))) return;
        var started = Stopwatch.GetTimestamp();
        var image = Path.Combine(stage.Work, "cut.img");
        Trees.Run("cp", "--sparse=always", Path.Combine(folder, calls[0].Copy), image);
        using var disk = LoopDisk.Mount(image, Path.Combine(stage.Work, "cut"));
        var state = Path.Combine(disk.Folder, "state");
        var journal = Recovery.Journal(state);
        var (broken, seen) = await new Recovery(stage, agent).CheckAsync(state, "good", UpdateState.Committed, cancellationToken);
        foreach (var call in calls)
            results.Add(new CaseResult(NameOf(call), broken is null, broken ?? $"cut in {journal}: {seen}", Stopwatch.GetElapsedTime(started).TotalSeconds / calls.Count, new Dictionary<string, double>()));
    }

    private static string IdentityOf(string image)
    {
        using var stream = File.OpenRead(image);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
