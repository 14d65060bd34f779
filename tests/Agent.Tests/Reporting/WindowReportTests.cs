using System.Text.Json;
using Dunlin.Agent.Reporting;
using Dunlin.Agent.Tests.Children;
using Dunlin.Agent.Tests.Energy;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Telemetry.Board;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Power;
using Dunlin.TestKit;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Schemas;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Agent.Tests.Reporting;

/// <summary>With this machine's own /proc and /sys.</summary>
public sealed class WindowReportTests : IAsyncLifetime
{
    private static readonly string[] Labels = ["shirt", "coat", "bag"];
    private static readonly TimeProvider Time = TimeProvider.System;

    private readonly TemporaryFolder _folder = new();
    private TestDevice _device = null!;

    public async ValueTask InitializeAsync() => _device = await TestDevice.StartAsync();

    [Fact]
    public async Task AWindowGetsNamesPercentilesEnergyAndTheMemoryOfBothProcesses()
    {
        using var meter = new SteadyMeter(Time, 6);
        using var energy = meter.Sampler(new PowerOptions { IdleWatts = 2 });
        var from = Time.GetTimestamp();
        await energy.StartAsync(TestContext.Current.CancellationToken);
        await TestKit.Waiting.Eventually.TrueAsync(() =>
        {
            var now = Time.GetTimestamp();
            if (Time.GetElapsedTime(from, now).TotalSeconds < 1) return false;
            if (energy.Joules(from, from + Time.TimestampFrequency)?.CoveredSeconds > 0.9) return true;
            // The machine stood still in this second.
            from = now;
            return false;
        }, "a second is covered");
        await energy.StopAsync(TestContext.Current.CancellationToken);
        var end = from + Time.TimestampFrequency;

        var window = Report(energy).Compose(Window(), end, Session(), Environment.ProcessId);
        SchemaAssert.Valid("telemetry", JsonSerializer.Serialize(window, MessageJson.Default.TelemetryWindow));
        Assert.Equal((1.0, 20.0, 1L), (window.WindowSeconds, window.FramesPerSecond, window.Sequence));
        Assert.Equal(new Dictionary<string, long> { ["coat"] = 19, ["bag"] = 1 }, window.Classes);
        Assert.Equal(SampleMessages.Latency.Histogram.Buckets, window.Latency.Histogram.Buckets);
        Assert.InRange(window.Latency.Milliseconds!.P50, 1.4, 1.6);
        Assert.InRange(window.Stages["inference"].Milliseconds!.P99, 2.4, 2.6);
        Assert.Equal(6 * window.Energy.Measured!.CoveredSeconds, window.Energy.Measured.Joules, 6);
        Assert.Equal(4 * window.Energy.Measured.CoveredSeconds, window.Energy.Measured.NetJoules!.Value, 6);
        Assert.Equal(6.0 / 20, window.Energy.Measured.JoulesPerInference!.Value, 1);
        Assert.Null(window.Energy.Estimated);
        Assert.True(window.Memory.SupervisorByteCount > 1 << 20 && window.Memory.WorkerByteCount > 1 << 20 && window.Memory.AvailableByteCount > 1 << 20);
        Assert.True(window.CpuSeconds >= 0.25, "the worker's CPU time and our own");
    }

    [Fact]
    public void ClassesOfOneNameAreCountedTogetherAndTheTimeIsTheWindowsEnd()
    {
        using var energy = new EnergySampler(new DiscoveredMeters(null, null, []), new PowerOptions(), Time, () => null, NullLogger<EnergySampler>.Instance);
        var session = Session() with { Labels = ["shirt", "crane", "crane"] };
        var aMinuteAgo = Time.GetTimestamp() - (60 * Time.TimestampFrequency);
        var window = Report(energy).Compose(Window(), aMinuteAgo, session, workerProcess: null);
        Assert.Equal(new Dictionary<string, long> { ["crane"] = 20 }, window.Classes);
        Assert.InRange((Time.GetUtcNow() - window.Time).TotalSeconds, 60, 100);
    }

    [Fact]
    public void WithoutAMeterWithAWorkerThatIsGoneAndAnEmptyWindowNothingIsMadeUp()
    {
        using var energy = new EnergySampler(new DiscoveredMeters(null, null, []), new PowerOptions(), Time, () => null, NullLogger<EnergySampler>.Instance);
        var empty = Window() with
        {
            Frames = new FrameCounts { Captured = 0, Classified = 0, Dropped = 0, Stale = 0, Corrupt = 0 },
            Latency = SampleMessages.Latency.Histogram with { Buckets = [] }, Stages = new Dictionary<string, Histogram>(), Classes = new Dictionary<int, long>(),
        };
        var window = Report(energy).Compose(empty, Time.GetTimestamp(), Session(), workerProcess: null);
        SchemaAssert.Valid("telemetry", JsonSerializer.Serialize(window, MessageJson.Default.TelemetryWindow));
        Assert.Equal((0, null, null, null), (window.FramesPerSecond, window.Energy.Measured, window.Energy.Estimated, window.Memory.WorkerByteCount));
        Assert.Null(window.Latency.Milliseconds);
    }

    public async ValueTask DisposeAsync()
    {
        await _device.DisposeAsync();
        _folder.Dispose();
    }

    private SessionSpec Session() => TestChildren.Session(_folder, [], "int8") with { Labels = Labels };

    private WindowReport Report(EnergySampler energy) =>
        new(_device.Identity, _device.Sequence, energy, new ThermalWatch(new BoardSensors()), new BoardSensors(), _device.Outbox, Time);

    private static FrameWindow Window() => new()
    {
        WindowSeconds = 1, Frames = new FrameCounts { Captured = 22, Classified = 20, Dropped = 1, Stale = 1, Corrupt = 0 },
        Latency = SampleMessages.Latency.Histogram, Stages = new Dictionary<string, Histogram> { ["inference"] = SampleMessages.Latency.Histogram },
        Classes = new Dictionary<int, long> { [1] = 19, [2] = 1 }, Confidence = [0, 0, 0, 0, 0, 0, 0, 0, 1, 19], Camera = SampleMessages.Camera,
        NonFiniteCount = 0, CpuSeconds = 0.25, AllocatedByteCount = 0,
    };
}
