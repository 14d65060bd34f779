using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Power;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Agent.Tests.Energy;

/// <summary>A sensor that shows what the test says.</summary>
internal sealed class SteadyMeter(TimeProvider time, double watts, string description = "ina219 at 0x40") : IPowerMeter
{
    private int _readCount;

    public PowerProvenance Provenance { get; } = new(EnergyMethod.Measured, "ina219", EnergyScope.Board, 50, 0.02, description);
    public string? Problem => Fails() ? $"{Provenance.Description} does not answer; check the wiring." : null;

    /// <summary>Whether it fails now.</summary>
    public Func<bool> Fails { get; set; } = () => false;

    /// <summary>Called before each reading.</summary>
    public Func<double> Watts { get; set; } = () => watts;

    /// <summary>Busy seconds of all cores of its board since boot.</summary>
    public Func<double?> BusySeconds { get; set; } = () => null;

    public int ReadCount => Volatile.Read(ref _readCount);

    public bool TryRead(out PowerSample sample)
    {
        Interlocked.Increment(ref _readCount);
        sample = Fails() ? default : PowerSample.OfWatts(time.GetTimestamp(), Watts());
        return !Fails();
    }

    public EnergySampler Sampler(PowerOptions? options = null, ILogger<EnergySampler>? logger = null) =>
        new(new DiscoveredMeters(this, null, []), options ?? new PowerOptions(), time, () => BusySeconds(), logger ?? NullLogger<EnergySampler>.Instance);

    public void Dispose() { }
}
