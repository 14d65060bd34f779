using Dunlin.Contracts.Messages;

namespace Dunlin.Telemetry.Board;

/// <summary>
/// Watches heat and throttling over a window, so that a spell of throttling between two windows' ends is not missed.
/// Threads may sample and take at the same time.
/// </summary>
public sealed class ThermalWatch(BoardSensors board)
{
    private readonly Lock _lock = new();
    private bool? _throttled;
    private string? _reason;

    /// <summary>Looks once; call it about each second. True if the clock is held down or was since the last look; null if the board does not say.</summary>
    public bool? Sample()
    {
        lock (_lock)
        {
            var (throttled, reason) = board.ReadThrottling();
            if (throttled is { } known) _throttled = known || _throttled == true;
            _reason = reason ?? _reason;
            return throttled;
        }
    }

    /// <summary>The window since the last call.</summary>
    public ThermalWindow TakeWindow()
    {
        Sample();
        lock (_lock)
        {
            var window = new ThermalWindow { Celsius = board.ReadCelsius(), Throttled = _throttled, ThrottleReason = _reason, CpuMegahertz = board.ReadCpuMegahertz() };
            (_throttled, _reason) = (null, null);
            return window;
        }
    }
}
