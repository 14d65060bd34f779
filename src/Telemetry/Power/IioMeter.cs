using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Board;

namespace Dunlin.Telemetry.Power;

/// <summary>A power sensor of the kernel's industrial I/O subsystem: <c>in_powerN_raw × in_powerN_scale</c> is milliwatts (ABI sysfs-bus-iio).</summary>
internal sealed class IioMeter : IPowerMeter
{
    private const double Milli = 1e-3, StatedUncertainty = 0.02;

    /// <summary>Why <see cref="Find"/> finds none.</summary>
    public const string WhyNone = "No sensor under /sys/bus/iio/devices gives power; load its driver, or set another Power:Kind.";

    private readonly SysFiles _files;
    private readonly TimeProvider _time;
    private readonly string _raw, _scale;

    private IioMeter(SysFiles files, TimeProvider time, string name, string raw, PowerOptions options)
    {
        (_files, _time, _raw, _scale) = (files, time, raw, raw[..^"_raw".Length] + "_scale");
        Provenance = ProvenanceOf(options, $"{name} ({Path.GetFileName(raw)})");
    }

    public PowerProvenance Provenance { get; }
    public string? Problem { get; private set; }

    public static IioMeter? Find(SysFiles files, TimeProvider time, PowerOptions options)
    {
        foreach (var device in files.List("/sys/bus/iio/devices", "iio:device*"))
            foreach (var raw in files.List(device, "in_power*_raw"))
                return new IioMeter(files, time, files.ReadText($"{device}/name") ?? Path.GetFileName(device), raw, options);
        return null;
    }

    public bool TryRead(out PowerSample sample)
    {
        if (_files.ReadDouble(_raw) * (_files.ReadDouble(_scale) ?? 1) * Milli is { } watts)
        {
            Problem = null;
            sample = PowerSample.OfWatts(_time.GetTimestamp(), watts);
            return true;
        }
        Problem = $"{Provenance.Description} gives no power ({_files.WhyUnreadable(_raw) ?? "not a number"}: {_raw}); check the driver and the wiring.";
        sample = default;
        return false;
    }

    /// <summary>What can be said of a meter that is not there yet.</summary>
    public static PowerProvenance Expected(PowerOptions options) => ProvenanceOf(options, "IIO sensor");

    public void Dispose() { }

    private static PowerProvenance ProvenanceOf(PowerOptions options, string description) =>
        new(EnergyMethod.Measured, "iio", options.FeedsWholeBoard ? EnergyScope.Board : EnergyScope.Rail,
            options.SamplesPerSecond ?? PowerMeters.UsualSamplesPerSecond, StatedUncertainty, description);
}
