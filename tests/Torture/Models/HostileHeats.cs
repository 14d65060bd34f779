using System.Diagnostics;
using Dunlin.Agent.Children;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Onnx;
using Dunlin.Torture.Fuzzing;
using Dunlin.Torture.Results;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Torture.Models;

/// <summary>
/// Row 33: each hostile model, first through the static check in its process, then with the check left out, straight into
/// ONNX Runtime: the heat may die, hang or answer, and the supervisor must hardly notice.
/// </summary>
internal sealed class HostileHeats(string agent, string work, CaseStore results)
{
    private const double MostSeconds = 10;
    private const double MostMegabytes = 20;
    private const double Megabyte = 1024 * 1024;

    private readonly HeatRunner _heats = new(
        new ChildHost { Executable = agent, EmptyDirectory = Directory.CreateDirectory(Path.Combine(work, "empty")).FullName }, NullLogger<HeatRunner>.Instance, TimeProvider.System);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var image = Path.Combine(work, "red.jpg");
        await Tool.SucceedAsync("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=red:size=64x64", "-frames:v", "1", image);
        // The first child brings in what every supervisor has in memory once it has started one.
        var calm = Write("calm", OnnxModels.Tiny());
        await MeasureAsync(() => WalkAsync(calm, cancellationToken));
        await MeasureAsync(() => LoadAsync(calm, image, cancellationToken));
        foreach (var model in HostileModel.Corpus)
        {
            if (results.IsDone(model.Name)) continue;
            var path = Write("hostile", model.Make());
            var (walked, walk) = await MeasureAsync(() => WalkAsync(path, cancellationToken));
            var (loaded, load) = await MeasureAsync(() => LoadAsync(path, image, cancellationToken));
            var passed = walked.StartsWith("check.", StringComparison.Ordinal) && Math.Max(walk.Seconds, load.Seconds) <= MostSeconds
                && Math.Max(walk.Megabytes, load.Megabytes) <= MostMegabytes;
            results.Add(new CaseResult(model.Name, passed, $"{walked}; without the check {loaded}", walk.Seconds + load.Seconds, new Dictionary<string, double>
            {
                ["checkSeconds"] = walk.Seconds,
                ["loadSeconds"] = load.Seconds,
                ["supervisorMegabytes"] = Math.Max(walk.Megabytes, load.Megabytes),
            }));
        }
    }

    private async Task<string> WalkAsync(string path, CancellationToken cancellationToken) =>
        (await _heats.RunAsync(FuzzTarget.Claims(new FileInfo(path).Length) with { ModelPath = path }, new HeatLimits { MemoryByteCount = (long)(256 * Megabyte) }, cancellationToken)).Code;

    private async Task<string> LoadAsync(string path, string image, CancellationToken cancellationToken)
    {
        var claims = FuzzTarget.Claims(0);
        var session = new SessionSpec
        {
            ModelPath = path,
            Saved = false,
            Release = Digest.Of("hostile"u8),
            Contender = new ContenderId("hostile", "CPUExecutionProvider", 1),
            Input = claims.Input,
            Output = claims.Output,
            Labels = [.. Enumerable.Range(0, claims.ClassCount).Select(i => $"class {i}")],
        };
        return (await _heats.RunAsync(new Classify { Session = session, Images = [image], TopCount = 1 }, new HeatLimits(), cancellationToken)).Code;
    }

    /// <summary>The model's bytes are gone from this process before anything is measured.</summary>
    private string Write(string name, byte[] model)
    {
        var path = Path.Combine(work, name + ".onnx");
        File.WriteAllBytes(path, model);
        return path;
    }

    private static async Task<(string Code, (double Seconds, double Megabytes) Cost)> MeasureAsync(Func<Task<string>> run)
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var before = Environment.WorkingSet;
        var started = Stopwatch.GetTimestamp();
        using var ended = new CancellationTokenSource();
        var watch = PeakAsync(ended.Token);
        var code = await run();
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await ended.CancelAsync();
        return (code, (seconds, Math.Max(0, (await watch - before) / Megabyte)));
    }

    private static async Task<long> PeakAsync(CancellationToken until)
    {
        var peak = Environment.WorkingSet;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        try
        {
            while (await timer.WaitForNextTickAsync(until)) peak = Math.Max(peak, Environment.WorkingSet);
        }
        catch (OperationCanceledException)
        {
        }

        return Math.Max(peak, Environment.WorkingSet);
    }
}
