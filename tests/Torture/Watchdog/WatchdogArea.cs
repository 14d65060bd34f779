using System.Diagnostics;
using Dunlin.Telemetry.Liveness;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Systemd;
using Dunlin.Torture.Results;
using Dunlin.Torture.Updates;

namespace Dunlin.Torture.Watchdog;

/// <summary>Row 38: each loop of the agent is made to hang in turn, and systemd hears of the watchdog no more, in time for its own.</summary>
internal sealed class WatchdogArea(string agent, string work, CaseStore results)
{
    /// <summary>Of the unit.</summary>
    private static readonly TimeSpan WatchdogTime = TimeSpan.FromSeconds(30);

    /// <summary>When a loop that is to hang does: <see cref="LoopTicks.FreezeVariable"/>.</summary>
    private static readonly TimeSpan HangsAfter = TimeSpan.FromSeconds(5);

    private static readonly string[] Loops = ["commands", "health", "link", "outbox", "pings", "power", "serving", "updates", "windows"];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(work);
        var options = new ParallelOptions { MaxDegreeOfParallelism = Loops.Length + 1, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(Loops.Append("none").Where(loop => !results.IsDone(loop)), options, async (loop, token) =>
        {
            var started = Stopwatch.GetTimestamp();
            var (broken, seen, numbers) = await HangAsync(loop, token);
            lock (results) results.Add(new CaseResult(loop, broken is null, broken ?? seen, Stopwatch.GetElapsedTime(started).TotalSeconds, numbers));
        });
    }

    private async Task<(string? Broken, string Seen, IReadOnlyDictionary<string, double> Numbers)> HangAsync(string loop, CancellationToken cancellationToken)
    {
        using var socket = new NotifySocket();
        var state = Path.Combine(work, "watchdog-" + loop);
        Trees.Delete(state);
        var start = new ProcessStartInfo(agent, ["run", "--set", $"Device:StateDirectory={state}", "--set", "Device:Id=w", "--set", $"Camera:Source={work}", "--set", "Mqtt:Host=localhost", "--set", "Mqtt:Port=1"]);
        start.Environment["NOTIFY_SOCKET"] = socket.Path;
        if (loop != "none") start.Environment[LoopTicks.FreezeVariable] = loop;
        var clock = Stopwatch.StartNew();
        await using var program = new RunningProgram(start);
        var (fed, last) = (0, TimeSpan.Zero);
        var ready = false;
        try
        {
            // As long as systemd waits, and then as long again, in which nothing may come.
            while (clock.Elapsed < HangsAfter + (2 * WatchdogTime) && !program.HasExited)
            {
                ready |= socket.CountOf("READY=1") > 0;
                if (socket.CountOf("WATCHDOG=1") is var now && now != fed) (fed, last) = (now, clock.Elapsed);
                await Task.Delay(100, cancellationToken);
            }
        }
        finally
        {
            await program.DisposeAsync();
            Trees.Delete(state);
        }

        var said = program.Log;
        var numbers = new Dictionary<string, double> { ["secondsToTheLastFeeding"] = loop == "none" ? 0 : (last - HangsAfter).TotalSeconds };
        if (!ready) return ($"READY was not said\n{said}", "", numbers);
        if (loop == "none") return last > HangsAfter + WatchdogTime + (WatchdogTime / 2) ? (null, "nothing hangs: the watchdog is fed to the end", numbers) : ($"it was fed last after {last.TotalSeconds:0.0} s though nothing hung\n{said}", "", numbers);
        if (last > HangsAfter + WatchdogTime) return ($"the watchdog was fed {(last - HangsAfter).TotalSeconds:0.0} s after the hang\n{said}", "", numbers);
        return said.Contains($"these loops hang: {loop}", StringComparison.Ordinal) ? (null, "fed no more, and the log names the loop", numbers) : ($"the log does not name {loop}\n{said}", "", numbers);
    }
}
