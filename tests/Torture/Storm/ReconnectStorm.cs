using System.Diagnostics;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Liveness;
using Dunlin.TestKit.Brokers;
using Dunlin.Torture.Results;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Torture.Storm;

/// <summary>
/// Row 28: a fleet loses its broker at one instant, five times, and must not come back as one. Links as the agent makes
/// them, all in this process; Mosquitto is killed and stays away for a while.
/// </summary>
internal sealed class ReconnectStorm(CaseStore results, int clientCount = 500, int roundCount = 5)
{
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan BackWithin = TimeSpan.FromSeconds(90);

    /// <summary>Share of the fleet that may come in any one second after the first.</summary>
    private const double MostPerSecond = 0.05;

    private static readonly Hardware Board = new()
    {
        Model = "Torture", CpuModel = "Torture", Architecture = "x64", Cores = 2, MemoryByteCount = 1 << 30, Kernel = "6", OperatingSystem = "Debian",
    };

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var options = new MqttOptions { Host = broker.Host, Port = broker.Port };
        var ticks = new LoopTicks(TimeProvider.System);
        var links = Enumerable.Range(0, clientCount).Select(i => new MqttLink(
            new LinkIdentity(new Topics("storm", $"d{i}"), Guid.NewGuid().ToString("N"), "0", Board), options, ticks, TimeProvider.System, NullLogger<MqttLink>.Instance, new LinkTiming())).ToList();
        var connects = new List<TimeSpan>();
        var clock = Stopwatch.StartNew();
        foreach (var link in links)
        {
            link.StateChanged += state =>
            {
                if (!state.IsConnected) return;
                lock (connects) connects.Add(clock.Elapsed);
            };
            await link.StartAsync(cancellationToken);
        }

        await UntilAsync(() => links.All(link => link.State.IsConnected), BackWithin, cancellationToken);
        for (var round = 1; round <= roundCount; round++)
        {
            var name = $"round {round}";
            await broker.KillAsync();
            await Task.Delay(Away, cancellationToken);
            lock (connects) connects.Clear();
            clock.Restart();
            var cpu = Environment.CpuUsage.TotalTime;
            await broker.StartAgainAsync();
            var back = await UntilAsync(() => links.All(link => link.State.IsConnected), BackWithin, cancellationToken);
            List<TimeSpan> times;
            lock (connects) times = [.. connects.Order()];
            var worst = times.Where(time => time.TotalSeconds >= 1).Select(time => times.Count(other => other >= time && other < time + TimeSpan.FromSeconds(1))).DefaultIfEmpty(0).Max();
            results.Add(new CaseResult(name, back && worst <= MostPerSecond * clientCount, $"all back after {clock.Elapsed.TotalSeconds:0.0} s, at most {worst} of {clientCount} in one second", clock.Elapsed.TotalSeconds,
                new Dictionary<string, double> { ["backSeconds"] = clock.Elapsed.TotalSeconds, ["mostInOneSecond"] = worst, ["firstSecond"] = times.Count(time => time.TotalSeconds < 1), ["cpuSeconds"] = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds }));
        }

        foreach (var link in links)
        {
            await link.StopAsync(cancellationToken);
            link.Dispose();
        }
    }

    private static async Task<bool> UntilAsync(Func<bool> holds, TimeSpan within, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (!holds())
        {
            if (Stopwatch.GetElapsedTime(started) > within) return false;
            await Task.Delay(20, cancellationToken);
        }

        return true;
    }
}
