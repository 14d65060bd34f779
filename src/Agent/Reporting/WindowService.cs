using System.Threading.Channels;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Telemetry.Liveness;
using Dunlin.Telemetry.Outbox;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Reporting;

/// <summary>
/// Composes and publishes each window of the worker as it comes: heat, battery and memory are of that moment, and whoever
/// judges the windows may be busy with a race for minutes.
/// </summary>
internal sealed partial class WindowService : BackgroundService
{
    // More than come within the longest tick: what is stuck longer ends with the watchdog.
    private const int MostWaiting = 32;
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestTickInterval = TimeSpan.FromSeconds(15);

    private readonly WindowReport _windows;
    private readonly MessageOutbox _outbox;
    private readonly Action<TelemetryWindow> _composed;
    private readonly TimeProvider _time;
    private readonly ILogger<WindowService> _logger;
    private readonly LoopTick _tick;
    private readonly Channel<ArrivedWindow> _arrived;

    /// <param name="windows">Used by this alone.</param>
    /// <param name="outbox">Takes what was composed.</param>
    /// <param name="composed">Called with each window behind its publication; must not wait.</param>
    /// <param name="ticks">Hears that the loop turns.</param>
    /// <param name="time">The monotonic clock of the windows' ends.</param>
    /// <param name="logger">Hears of a window that is lost.</param>
    public WindowService(
        WindowReport windows, MessageOutbox outbox, Action<TelemetryWindow> composed, LoopTicks ticks, TimeProvider time, ILogger<WindowService> logger)
    {
        (_windows, _outbox, _composed, _time, _logger) = (windows, outbox, composed, time, logger);
        _tick = ticks.Register("windows", LongestTickInterval);
        _arrived = Channel.CreateBounded<ArrivedWindow>(
            new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }, _ => LogWindowLost());
    }

    /// <summary>A window that ends now. From any thread; does not wait.</summary>
    /// <param name="session">What ran.</param>
    /// <param name="window">From the worker.</param>
    /// <param name="workerProcess">Null if it is gone already.</param>
    public void Observe(SessionSpec session, FrameWindow window, int? workerProcess) =>
        _arrived.Writer.TryWrite(new ArrivedWindow(session, window, workerProcess, _time.GetTimestamp()));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                _tick.Tick();
                await WaitAsync(stoppingToken);
                while (_arrived.Reader.TryRead(out var arrived)) Publish(arrived);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping is no error.
        }
        finally
        {
            _tick.Retire();
        }
    }

    private void Publish(ArrivedWindow arrived)
    {
        _tick.Tick();
        var telemetry = _windows.Compose(arrived.Window, arrived.End, arrived.Session, arrived.WorkerProcess);
        LogWindow(telemetry.WindowSeconds, telemetry.FramesPerSecond, telemetry.Latency.Milliseconds?.P95, telemetry.Frames.Dropped);
        _outbox.Add(telemetry);
        _composed(telemetry);
    }

    private async Task WaitAsync(CancellationToken stoppingToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        await Task.WhenAny(_arrived.Reader.WaitToReadAsync(enough.Token).AsTask(), Task.Delay(TickInterval, _time, enough.Token));
        await enough.CancelAsync();
        stoppingToken.ThrowIfCancellationRequested();
    }

    private sealed record ArrivedWindow(SessionSpec Session, FrameWindow Window, int? WorkerProcess, long End);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Window of {WindowSeconds:0.0} s: {FramesPerSecond:0.0} frames/s, p95 {P95Milliseconds:0.00} ms, {DroppedCount} dropped")]
    private partial void LogWindow(double windowSeconds, double framesPerSecond, double? p95Milliseconds, long droppedCount);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A window of telemetry is lost: the disk took none of the last ones")]
    private partial void LogWindowLost();
}
