using Dunlin.Telemetry.Board;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Liveness;
using Dunlin.Telemetry.Outbox;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Agent.Reporting;

/// <summary>Looks each second at what has no voice of its own: link, outbox, meters, heat.</summary>
internal sealed class HealthService : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(15);

    private readonly DeviceReport _report;
    private readonly MqttLink _link;
    private readonly MessageOutbox _outbox;
    private readonly EnergySampler _energy;
    private readonly ThermalWatch _thermal;
    private readonly TimeProvider _time;
    private readonly LoopTick _tick;

    public HealthService(
        DeviceReport report, MqttLink link, MessageOutbox outbox, EnergySampler energy, ThermalWatch thermal, LoopTicks ticks, TimeProvider time)
    {
        (_report, _link, _outbox, _energy, _thermal, _time) = (report, link, outbox, energy, thermal, time);
        _tick = ticks.Register("health", LongestInterval);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        try
        {
            do
            {
                _tick.Tick();
                _thermal.Sample();
                var link = _link.State;
                _report.SetProblem("broker", link.IsConnected ? link.Problem : link.Detail);
                _report.SetProblem("outbox", _outbox.Problem);
                _report.SetProblem("power", _energy.Problems is { Count: > 0 } problems ? string.Join(" ", problems) : null);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            _tick.Retire();
        }
    }
}
