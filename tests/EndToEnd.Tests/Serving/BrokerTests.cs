using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.State;
using Dunlin.TestKit.Systemd;
using Dunlin.TestKit.Waiting;
using MQTTnet;

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
        await Eventually.TrueAsync(() => !socket.Messages.Last(m => m.StartsWith("STATUS=", StringComparison.Ordinal)).Contains("localhost:", StringComparison.Ordinal), "the status no longer names the broker", Patience);
    }

    [Fact]
    public async Task WhatWasMeasuredWhileTheBrokerWasGoneArrivesAfterwards()
    {
        using var space = new TemporaryFolder();
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Persistent = true });
        var setup = first.Again(space, broker.Port);
        await using var agent = AgentProcess.Run(setup);
        List<long> until;
        string boot;
        await using (var before = await MqttProbe.ConnectAsync(broker, AsBackend, "dunlin/v1/#"))
        {
            await WindowsAsync(before, setup, 1);
            await broker.StopAsync();
            until = Windows(before, setup);
            boot = before.Messages.First(m => m.Topic == setup.Topic("telemetry")).Json.GetProperty("bootId").GetString()!;
        }

        List<long> stored = [];
        await Eventually.TrueAsync(() => (stored = [.. OutboxFiles.ReadTelemetry(setup.StateDirectory, boot).Where(sequence => sequence > until[^1])]).Count >= 3, "telemetry of the outage lies on disk", Patience);
        await broker.StartAgainAsync();
        await using var after = await MqttProbe.ConnectAsync(broker, AsBackend);
        await after.NextAsync(setup.Topic("status"), m => m.Json.GetProperty("state").GetString() == "online", Patience);
        List<long> windows = [];
        await Eventually.TrueAsync(() => (windows = Windows(after, setup)).Any(sequence => sequence > stored[^1]), "what was measured after the outage arrives", Patience);
        Assert.Equal(windows.Order(), windows);
        // Others of the outage may have been written since, and what the broker was just given may come twice; none is missing.
        Assert.Equal(stored, windows.Intersect(stored));
        Assert.False(agent.HasExited);

        // For it the broker keeps what arrives while it is away.
        static void AsBackend(MqttClientOptionsBuilder builder) => builder.WithClientId("backend").WithCleanSession(false).WithSessionExpiryInterval(600);
    }

    private static async Task<List<long>> WindowsAsync(MqttProbe probe, AgentSetup setup, int count)
    {
        List<long> windows = [];
        await Eventually.TrueAsync(
            () => (windows = Windows(probe, setup)).Count >= count,
            () => $"{count} windows arrive; {windows.Count} did", Patience);
        return windows;
    }

    private static List<long> Windows(MqttProbe probe, AgentSetup setup) =>
        [.. probe.Messages.Where(m => m.Topic == setup.Topic("telemetry")).Select(m => m.Json.GetProperty("sequence").GetInt64())];
}
