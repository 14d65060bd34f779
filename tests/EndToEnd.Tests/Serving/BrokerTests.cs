using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Systemd;
using Dunlin.TestKit.Waiting;

namespace Dunlin.EndToEnd.Tests.Serving;

/// <summary>The device works with, without, and in spite of its broker.</summary>
public sealed class BrokerTests(FirstRun first)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task WithoutABrokerTheServiceIsReadyAndSaysSoAndWhatWasMeasuredArrivesWhenItComes()
    {
        using var space = new TemporaryFolder();
        using var socket = new NotifySocket();
        await using var broker = MosquittoBroker.Prepare();
        var setup = first.Again(space, broker.Port);
        await using var agent = AgentProcess.Run(setup, socket.Path);
        await Eventually.TrueAsync(() => socket.CountOf("READY=1") == 1, () => $"READY; the agent said:\n{agent.Log}", Patience);
        await Eventually.TrueAsync(
            () => socket.Messages.Any(m => m.StartsWith("STATUS=", StringComparison.Ordinal) && m.Contains($"localhost:{broker.Port}", StringComparison.Ordinal)),
            () => $"the status names the broker: {string.Join(" | ", socket.Messages)}", Patience);
        await agent.WorkerAsync();
        await Eventually.TrueAsync(() => Directory.EnumerateFiles(Path.Combine(setup.StateDirectory, "outbox", "telemetry")).Any(f => new FileInfo(f).Length > 0), "telemetry lies on disk", Patience);
        await broker.StartAgainAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        await probe.NextAsync(setup.Topic("result"), null, Patience);
        var windows = await WindowsAsync(probe, setup, 3);
        Assert.Equal(windows.Order(), windows);
        await Eventually.TrueAsync(() => socket.Messages[^1] is var _ && !socket.Messages.Last(m => m.StartsWith("STATUS=", StringComparison.Ordinal)).Contains("localhost:", StringComparison.Ordinal), "the status no longer names the broker", Patience);
    }

    [Fact]
    public async Task WhatWasMeasuredWhileTheBrokerWasGoneArrivesAfterwards()
    {
        using var space = new TemporaryFolder();
        await using var broker = await MosquittoBroker.StartAsync();
        var setup = first.Again(space, broker.Port);
        await using var agent = AgentProcess.Run(setup);
        long last;
        await using (var before = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#"))
        {
            last = (await before.NextAsync(setup.Topic("telemetry"), null, Patience)).Json.GetProperty("sequence").GetInt64();
            await broker.KillAsync();
        }

        await Eventually.TrueAsync(() => Directory.EnumerateFiles(Path.Combine(setup.StateDirectory, "outbox", "telemetry")).Any(f => new FileInfo(f).Length > 4096), "telemetry lies on disk", Patience);
        await broker.StartAgainAsync();
        await using var after = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        await after.NextAsync(setup.Topic("status"), m => m.Json.GetProperty("state").GetString() == "online", Patience);
        var windows = await WindowsAsync(after, setup, 3);
        Assert.Equal(windows.Order(), windows);
        Assert.All(windows, sequence => Assert.True(sequence >= last));
        Assert.False(agent.HasExited);
    }

    private static async Task<List<long>> WindowsAsync(MqttProbe probe, AgentSetup setup, int count)
    {
        List<long> windows = [];
        await Eventually.TrueAsync(
            () => (windows = [.. probe.Messages.Where(m => m.Topic == setup.Topic("telemetry")).Select(m => m.Json.GetProperty("sequence").GetInt64())]).Count >= count,
            $"{count} windows arrive", Patience);
        return windows;
    }
}
