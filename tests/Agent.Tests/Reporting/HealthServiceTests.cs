using System.Text.Json;
using Dunlin.Agent.Reporting;
using Dunlin.Agent.Tests.Energy;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Board;
using Dunlin.Telemetry.Energy;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Agent.Tests.Reporting;

/// <summary>What fails on a board in silence reaches the published report, the status line and the log.</summary>
public sealed class HealthServiceTests
{
    private readonly Lines<EnergySampler> _meterLog = new();

    [Fact]
    public async Task ASensorThatVanishesIsReportedAndLoggedOnceAndIsNullInTelemetry()
    {
        await using var device = await TestDevice.StartAsync();
        var meter = new SteadyMeter(TimeProvider.System, 5) { Fails = () => true };
        using var sampler = meter.Sampler(logger: _meterLog);
        await using var health = await StartAsync(device, sampler);
        Assert.Equal(["ina219 at 0x40 does not answer; check the wiring."], (await ProblemsAsync(device, 1)).Problems);
        Assert.Contains("does not answer", device.Status.Text, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => meter.ReadCount > 20, "it is read on");
        Assert.Single(_meterLog.All, line => line.Contains("Power meter failed", StringComparison.Ordinal));
        var now = TimeProvider.System.GetTimestamp();
        Assert.Null(sampler.WindowOf(now - TimeProvider.System.TimestampFrequency, now, 10).Measured);
    }

    [Fact]
    public async Task ASensorOfEverOtherNonsenseIsReportedAndLoggedOnce()
    {
        await using var device = await TestDevice.StartAsync();
        var meter = new SteadyMeter(TimeProvider.System, 5);
        meter.Watts = () => -1 - meter.ReadCount;
        using var sampler = meter.Sampler(logger: _meterLog);
        await using var health = await StartAsync(device, sampler);
        var reported = await ProblemsAsync(device, 1);
        Assert.Contains("power is not negative: turn the shunt's two wires round", Assert.Single(reported.Problems), StringComparison.Ordinal);
        var read = meter.ReadCount;
        await Eventually.TrueAsync(() => meter.ReadCount > read + 100, "it raves on for two looks");
        Assert.Equal(reported.Sequence, (await ProblemsAsync(device, 1)).Sequence);
        Assert.Single(_meterLog.All, line => line.Contains("Power meter failed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AFullDiskUnderTheOutboxIsReportedAndItsEndToo()
    {
        using var disk = TinyDisk.Mount();
        await using var device = await TestDevice.StartAsync(disk.Path);
        using var sampler = new SteadyMeter(TimeProvider.System, 5).Sampler();
        await using var health = await StartAsync(device, sampler);
        disk.Fill();
        device.Outbox.Add(SampleMessages.Outcome());
        Assert.Contains("see that its file system has room", Assert.Single((await ProblemsAsync(device, 1)).Problems), StringComparison.Ordinal);
        disk.Free();
        device.Outbox.Add(SampleMessages.Outcome());
        await ProblemsAsync(device, 0);
        Assert.Equal(2, device.Outbox.QueuedOutcomeCount);
    }

    [Fact]
    public async Task AFullDiskUnderTheOutboxIsLoggedOnceWhenThatBegins()
    {
        using var disk = TinyDisk.Mount();
        await using var device = await TestDevice.StartAsync(disk.Path);
        await device.Outbox.StartAsync(CancellationToken.None);
        for (var i = 1; i <= 6; i++)
        {
            if (i == 2) disk.Fill();
            // Each comes from memory where the disk takes none, and makes the outbox look again.
            device.Outbox.Add(SampleMessages.Outcome() with { Sequence = i, Detail = new string('x', 5000) });
            await Eventually.TrueAsync(() => device.Outbox.QueuedOutcomeCount == 0, "it is delivered");
        }

        await Eventually.TrueAsync(() => !device.OutboxLog.All.IsEmpty, "it is logged");
        Assert.Contains("see that its file system has room", Assert.Single(device.OutboxLog.All), StringComparison.Ordinal);
        await device.Outbox.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task AnotherAgentWithTheSameIdIsInTheStatusLineAndTheLog()
    {
        await using var device = await TestDevice.StartAsync();
        using var sampler = new SteadyMeter(TimeProvider.System, 5).Sampler();
        await using var health = await StartAsync(device, sampler);
        for (var i = 0; i < 3; i++)
        {
            await Eventually.TrueAsync(() => device.Link.State.IsConnected, () => $"it is connected; it says: {device.Link.State.Detail}");
            var before = device.Link.State.ConnectCount;
            await using var rival = await MqttProbe.ConnectAsync(device.Broker, options => options.WithClientId(device.Identity.Topics.Device));
            // It may be back before anybody looks.
            await Eventually.TrueAsync(() => !device.Link.State.IsConnected || device.Link.State.ConnectCount > before, "its session is taken");
        }

        await Eventually.TrueAsync(() => device.Status.Text.Contains("two devices use the id 'belt-1'", StringComparison.Ordinal), () => $"it is told: {device.Status.Text}");
        Assert.Contains(device.LinkLog.All, line => line.Contains("two devices use the id 'belt-1'", StringComparison.Ordinal));
    }

    private static async Task<Running> StartAsync(TestDevice device, EnergySampler sampler)
    {
        var health = new HealthService(
            device.Report, device.Link, device.Outbox, sampler, new ThermalWatch(new BoardSensors()), device.Ticks, TimeProvider.System);
        await sampler.StartAsync(CancellationToken.None);
        await health.StartAsync(CancellationToken.None);
        return new Running(health, sampler);
    }

    private static async Task<Reported> ProblemsAsync(TestDevice device, int count) =>
        Read(await device.NewestAsync(device.Identity.Topics.Reported, message => Read(message).Problems.Count == count));

    private static Reported Read(ProbedMessage message) => JsonSerializer.Deserialize(message.Payload, MessageJson.Default.Reported)!;

    private sealed class Running(HealthService health, EnergySampler sampler) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await health.StopAsync(CancellationToken.None);
            await sampler.StopAsync(CancellationToken.None);
            health.Dispose();
        }
    }
}
