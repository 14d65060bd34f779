using System.Device.I2c;
using Dunlin.Telemetry.Board;

namespace Dunlin.Telemetry.Power;

/// <summary>The meters of this board.</summary>
/// <param name="Meter">The best that answers, measured or derived; null if there is none.</param>
/// <param name="Estimate">The estimate by CPU time, which always goes beside it; null if switched off.</param>
/// <param name="Reasons">Why each kind was taken or not, best first, in sentences.</param>
public sealed record DiscoveredMeters(IPowerMeter? Meter, IPowerMeter? Estimate, IReadOnlyList<string> Reasons);

/// <summary>Finds the meters of a board.</summary>
public static class PowerMeters
{
    /// <summary>Readings per second of a sensor that is read by a register or a file.</summary>
    internal const double UsualSamplesPerSecond = 10;

    /// <summary>Looks for meters in the order of their provenance: sensors in the supply, the PMIC, RAPL; beside it the estimate.</summary>
    /// <param name="options">Valid options.</param>
    /// <param name="time">Gives the samples' timestamps.</param>
    /// <param name="root">Where <c>/sys</c> and <c>/proc</c> are.</param>
    public static DiscoveredMeters Discover(PowerOptions options, TimeProvider time, string root = "/")
    {
        var board = new BoardSensors(root);
        return Discover(options, time, root, I2cDevice.Create, Vcgencmd.ReadAdc, () => board.ReadTreeCpuTime(Environment.ProcessId));
    }

    internal static DiscoveredMeters Discover(PowerOptions options, TimeProvider time, string root,
        Func<I2cConnectionSettings, I2cDevice> openI2c, Func<(string?, string?)> readAdc, Func<TimeSpan?> readCpuTime)
    {
        var files = new SysFiles(root);
        var reasons = new List<string>();
        if (options.Kind == PowerKind.None) return new DiscoveredMeters(null, null, ["Power: switched off by kind none."]);

        var estimate = options.WattsPerCore > 0 ? new CpuTimeMeter(options, time, readCpuTime) : null;
        if (options.Kind == PowerKind.CpuTime)
            return new DiscoveredMeters(null, estimate, [estimate is null ? "cpu-time: switched off by 0 watts per core." : $"cpu-time: taken as configured, {estimate.Provenance.Description}."]);

        IPowerMeter? meter = null;
        foreach (var (kind, candidates) in Candidates(options, time, files, openI2c, readAdc))
        {
            var name = kind.ToString().ToLowerInvariant();
            if (meter is not null) { Discard(candidates); reasons.Add($"{name}: not looked at, a better one answers."); continue; }
            if (candidates.Count == 0)
            {
                // A meter that was named is kept, since it may come.
                if (options.Kind == kind) meter = Await(kind, options, time, files);
                reasons.Add($"{name}: {meter?.Problem ?? (kind == PowerKind.Hwmon && options.Channel is not null ? HwmonMeter.WhyNone(files, options) : "none found.")}");
            }

            foreach (var candidate in candidates)
            {
                if (meter is not null) { candidate.Dispose(); continue; }
                if (candidate.TryRead(out _)) { meter = candidate; reasons.Add($"{name}: taken, {candidate.Provenance.Description}."); continue; }
                reasons.Add($"{name}: {candidate.Problem}");
                // A meter that was named is kept, since it may come back.
                if (options.Kind == kind && candidate == candidates[^1]) meter = candidate;
                else candidate.Dispose();
            }
        }
        reasons.Add(estimate is null ? "cpu-time: switched off by 0 watts per core." : $"cpu-time: estimate beside it, {estimate.Provenance.Description}.");
        return new DiscoveredMeters(meter, estimate, reasons);
    }

    private static IEnumerable<(PowerKind, IReadOnlyList<IPowerMeter>)> Candidates(PowerOptions options, TimeProvider time, SysFiles files,
        Func<I2cConnectionSettings, I2cDevice> openI2c, Func<(string?, string?)> readAdc)
    {
        bool Wanted(PowerKind kind) => options.Kind == kind || options.Kind == PowerKind.Auto;
        if (options.Kind is PowerKind.Ina219 or PowerKind.Ina236) yield return (options.Kind, [new InaMeter(options.Kind, options, time, openI2c)]);
        if (Wanted(PowerKind.Hwmon)) yield return (PowerKind.Hwmon, HwmonMeter.Find(files, time, options));
        if (Wanted(PowerKind.Iio)) yield return (PowerKind.Iio, OneOrNone(IioMeter.Find(files, time, options)));
        if (options.Kind == PowerKind.Pmic || (options.Kind == PowerKind.Auto && IsRaspberryPi5(files))) yield return (PowerKind.Pmic, [new PmicMeter(options, time, readAdc)]);
        if (Wanted(PowerKind.Rapl)) yield return (PowerKind.Rapl, OneOrNone(RaplMeter.Find(files, time, options)));
    }

    private static AwaitedMeter Await(PowerKind kind, PowerOptions options, TimeProvider time, SysFiles files) => kind switch
    {
        PowerKind.Hwmon => new(HwmonMeter.Expected(options), time, () => HwmonMeter.Find(files, time, options) is [var best, ..] ? best : null, () => HwmonMeter.WhyNone(files, options)),
        PowerKind.Iio => new(IioMeter.Expected(options), time, () => IioMeter.Find(files, time, options), () => IioMeter.WhyNone),
        PowerKind.Rapl => new(RaplMeter.Expected(options), time, () => RaplMeter.Find(files, time, options), () => RaplMeter.WhyNone),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Only what is found by looking can be absent."),
    };

    private static IReadOnlyList<IPowerMeter> OneOrNone(IPowerMeter? meter) => meter is null ? [] : [meter];

    private static void Discard(IReadOnlyList<IPowerMeter> meters) { foreach (var meter in meters) meter.Dispose(); }

    private static bool IsRaspberryPi5(SysFiles files) =>
        files.ReadText("/proc/device-tree/model") is { } model && (model.Contains("Raspberry Pi 5", StringComparison.Ordinal) || model.Contains("Compute Module 5", StringComparison.Ordinal) || model.Contains("Raspberry Pi 500", StringComparison.Ordinal));
}
