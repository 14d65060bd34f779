using System.Collections.Concurrent;
using Dunlin.Agent.Reporting;
using Dunlin.Agent.Tests.Updates;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Telemetry.Board;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Power;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Agent.Tests.Reporting;

public sealed class WindowServiceTests : IAsyncLifetime
{
    private static readonly SessionSpec Session = SampleWindows.Session(Digest.Of("release"u8));

    private readonly ConcurrentQueue<TelemetryWindow> _composed = new();
    private readonly Lines<WindowService> _log = new();
    private TestDevice _device = null!;

    public async ValueTask InitializeAsync() => _device = await TestDevice.StartAsync();

    [Fact]
    public async Task AWindowIsInTheOutboxBeforeAnybodyJudgesItAndSaysWhatRan()
    {
        long queued = 0;
        using var service = Service(window =>
        {
            queued = _device.Outbox.Counts.Queued;
            _composed.Enqueue(window);
        });
        await service.StartAsync(TestContext.Current.CancellationToken);
        service.Observe(Session, SampleWindows.Good(), Environment.ProcessId);
        await Eventually.TrueAsync(() => !_composed.IsEmpty, "it is handed on");
        Assert.Equal(1, queued);
        var window = Assert.Single(_composed);
        Assert.Equal((Session.Release, Session.Contender), (window.Release, window.Running));
        Assert.NotNull(window.Memory.WorkerByteCount);
        await service.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task OfMoreWindowsThanTheDiskTakesTheOldestAreLostAndThatIsSaid()
    {
        using var service = Service(_composed.Enqueue);
        for (var i = 1; i <= 40; i++) service.Observe(Session, SampleWindows.Good(classified: i), workerProcess: null);
        await service.StartAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => _composed.LastOrDefault()?.Frames.Classified == 40, "the newest is handed on");
        Assert.Equal(40, _composed.Count + _log.All.Count(line => line.Contains("is lost", StringComparison.Ordinal)));
        Assert.InRange(_composed.Count, 1, 39);
        await service.StopAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => _device.DisposeAsync();

    private WindowService Service(Action<TelemetryWindow> composed)
    {
        var energy = new EnergySampler(new DiscoveredMeters(null, null, []), new PowerOptions(), TimeProvider.System, () => null, NullLogger<EnergySampler>.Instance);
        var board = new BoardSensors();
        var report = new WindowReport(_device.Identity, _device.Sequence, energy, new ThermalWatch(board), board, _device.Outbox, TimeProvider.System);
        return new WindowService(report, _device.Outbox, composed, _device.Ticks, TimeProvider.System, _log);
    }
}
