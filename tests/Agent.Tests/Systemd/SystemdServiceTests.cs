using Dunlin.Agent.Systemd;
using Dunlin.Telemetry.Liveness;
using Dunlin.TestKit.Systemd;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Systemd;

/// <summary>Against a real datagram socket; the clock is the only thing simulated.</summary>
[Collection(nameof(AloneInTheProcess))]
public sealed class SystemdServiceTests : IDisposable
{
    private readonly NotifySocket _socket = new();
    private readonly FakeTimeProvider _time = new();
    private readonly ServiceStatusText _status = new();
    private readonly LoopTicks _loops;
    private int _markerCount;

    public SystemdServiceTests()
    {
        _loops = new LoopTicks(_time);
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", _socket.Path);
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", null);
        _socket.Dispose();
    }

    [Fact]
    public async Task ReadyIsSaidOnlyWhenEveryLoopHasTurned()
    {
        var loop = _loops.Register("serving", TimeSpan.FromMinutes(1));
        using var service = await StartAsync();
        await TurnUntilAsync(() => _socket.CountOf("WATCHDOG=1") >= 2);
        Assert.DoesNotContain("READY=1", _socket.Messages);

        loop.Tick();
        await TurnUntilAsync(() => _socket.CountOf("READY=1") == 1);
        await service.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, _socket.CountOf("READY=1"));
    }

    [Fact]
    public async Task TheWatchdogStarvesWhenOneLoopHangs()
    {
        var hanging = _loops.Register("link", TimeSpan.FromSeconds(10));
        hanging.Tick();
        using var service = await StartAsync();
        await TurnUntilAsync(() => _socket.CountOf("WATCHDOG=1") >= 2);

        _time.Advance(TimeSpan.FromSeconds(11));
        await TurnUntilAsync(() => _loops.Hanging.Count == 1);
        var before = await SettledCountAsync();
        for (var i = 0; i < 20; i++) _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(before, await SettledCountAsync());

        hanging.Tick();
        await TurnUntilAsync(() => _socket.CountOf("WATCHDOG=1") > before);
        await service.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task StatusSaysWhatRunsAndWhatIsMissing()
    {
        _status.SetRunning("garments 1.0.0");
        _status.SetProblem("camera", "Camera '/dev/video0' is absent");
        using var service = await StartAsync();
        await TurnUntilAsync(() => _socket.Messages.Contains("STATUS=garments 1.0.0; Camera '/dev/video0' is absent"));

        _status.SetProblem("camera", null);
        await TurnUntilAsync(() => _socket.Messages.Contains("STATUS=garments 1.0.0"));
        await service.StopAsync(TestContext.Current.CancellationToken);
    }

    private async Task<SystemdService> StartAsync()
    {
        var service = new SystemdService(new SystemdNotifier(), _loops, _status, _time, NullLogger<SystemdService>.Instance);
        await service.StartAsync(TestContext.Current.CancellationToken);
        return service;
    }

    private async Task TurnUntilAsync(Func<bool> condition)
    {
        for (var i = 0; i < 1000; i++)
        {
            if (condition()) return;
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        Assert.Fail($"Not seen on the socket. It got: {string.Join(" | ", _socket.Messages)}");
    }

    private async Task<int> SettledCountAsync()
    {
        // Datagrams keep their order: once the marker has come, all that was sent before it has.
        var marker = $"marker {++_markerCount}";
        _status.SetRunning(marker);
        await TurnUntilAsync(() => _socket.Messages.Contains("STATUS=" + marker));
        return _socket.CountOf("WATCHDOG=1");
    }
}
