using Dunlin.Agent.Children;
using Dunlin.Bench.Material;
using Dunlin.Bench.Measuring;
using Dunlin.Bench.Reporting;
using Dunlin.Contracts.Worker;
using Microsoft.Extensions.Logging.Abstractions;
using static Dunlin.Bench.Comparisons.Rig;

namespace Dunlin.Bench.Comparisons;

/// <summary>Bytes that the published worker's frame loop allocates, by its own count.</summary>
internal static class AllocationComparison
{
    private const string Topic = "allocation";
    private const string Name = "worker's frame loop, bytes allocated per frame";
    private const int WindowMilliseconds = 1000;
    private const int WarmUpWindowCount = 3;

    public static async Task<IReadOnlyList<Measurement>> RunAsync(Rig rig)
    {
        var why = !rig.Workshop.HasImageNet ? rig.Workshop.NoImageNet : !rig.Workshop.HasAgent ? $"no published agent at {rig.Workshop.Agent}" : null;
        if (why is not null) return [Measurement.Skipped(Topic, Name, "B", Threshold.Maximum(0), why)];
        var windows = await WindowsAsync(rig, WarmUpWindowCount + (int)Math.Ceiling(rig.Settings.Seconds));
        var steady = windows.Skip(WarmUpWindowCount).ToList();
        var (bytes, frames) = (steady.Sum(window => window.AllocatedByteCount), steady.Sum(window => window.Frames.Classified));
        return [Row(Topic, Name, "B", Sample.Of([bytes / (double)frames]), Threshold.Maximum(0),
            FormattableString.Invariant($"{bytes} B over {frames} frames, every result sent; the first second, in which buffers grow: {windows[0].AllocatedByteCount} B"))];
    }

    private static async Task<List<FrameWindow>> WindowsAsync(Rig rig, int count)
    {
        var material = new MobileNet(rig.Workshop);
        var windows = new List<FrameWindow>();
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var empty = Path.Combine(rig.Workshop.Folder, "empty");
        Directory.CreateDirectory(empty);
        var supervisor = new WorkerSupervisor(
            new ChildHost { Executable = rig.Workshop.Agent, EmptyDirectory = empty }, new WorkerLimits(),
            new WorkerEvents
            {
                Window = (_, window) =>
                {
                    windows.Add(window);
                    if (windows.Count == count) enough.TrySetResult();
                },
                Exited = exit => enough.TrySetException(new InvalidOperationException($"The worker ended: {exit.Exit.Reason} {exit.LoadError?.Detail}")),
            },
            NullLogger<WorkerSupervisor>.Instance, TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(rig.CancellationToken);
        var run = supervisor.RunAsync(new WorkerAssignment
        {
            Load = new Load
            {
                Session = material.Saved(MobileNet.Float),
                Camera = new CameraSpec { Kind = CameraKind.Folder, Source = material.Photographs.Frames(rig.Workshop), Unpaced = true },
                Loop = new LoopSpec { WindowMilliseconds = WindowMilliseconds },
            },
        }, stop.Token);
        try
        {
            await enough.Task.WaitAsync(TimeSpan.FromSeconds(60), rig.CancellationToken);
        }
        finally
        {
            await stop.CancelAsync();
            await run;
        }

        return windows;
    }
}
