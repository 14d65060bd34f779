using Dunlin.Telemetry.Liveness;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Systemd;

/// <summary>
/// Tells systemd READY once every loop has turned, STATUS when it changes, and WATCHDOG while every loop turns
/// (sd_notify(3)). Without <c>NOTIFY_SOCKET</c> it only logs what hangs.
/// </summary>
internal sealed partial class SystemdService(
    ISystemdNotifier notifier, LoopTicks loops, ServiceStatusText status, TimeProvider time, ILogger<SystemdService> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StartInterval = TimeSpan.FromMilliseconds(200);

    private string? _lastStatus;
    private string? _lastHanging;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(StartInterval, time);
        var ready = false;
        try
        {
            do
            {
                if (!ready && loops.AllStarted)
                {
                    notifier.Notify(ServiceState.Ready);
                    ready = true;
                    timer.Period = Interval;
                    LogReady();
                }

                NotifyStatus();
                FeedWatchdog();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            notifier.Notify(ServiceState.Stopping);
        }
    }

    private void NotifyStatus()
    {
        var text = status.Text;
        if (text == _lastStatus) return;
        notifier.Notify(new ServiceState("STATUS=" + text.ReplaceLineEndings(" ")));
        _lastStatus = text;
    }

    private void FeedWatchdog()
    {
        var hanging = string.Join(", ", loops.Hanging);
        if (hanging.Length == 0) notifier.Notify(new ServiceState("WATCHDOG=1"));
        else if (hanging != _lastHanging) LogHanging(hanging);
        _lastHanging = hanging;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Agent ready")]
    private partial void LogReady();

    [LoggerMessage(Level = LogLevel.Error, Message = "Watchdog not fed because these loops hang: {Loops}")]
    private partial void LogHanging(string loops);
}
