using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Board;

namespace Dunlin.Telemetry.Power;

/// <summary>The energy counters that x86 packages keep of themselves (Linux powercap), all packages together.</summary>
internal sealed class RaplMeter : IPowerMeter
{
    private const double Micro = 1e-6;

    /// <summary>Against wall measurements package counters were found within 5 % (Khan et al., RAPL in Action, 2018).</summary>
    private const double StatedUncertainty = 0.05;

    /// <summary>Why <see cref="Find"/> finds none.</summary>
    public const string WhyNone = "No CPU package is under /sys/class/powercap; load the module intel_rapl_msr, or set another Power:Kind.";

    private readonly SysFiles _files;
    private readonly TimeProvider _time;
    private readonly Package[] _packages;

    private RaplMeter(SysFiles files, TimeProvider time, Package[] packages, PowerOptions options)
    {
        (_files, _time, _packages) = (files, time, packages);
        Provenance = ProvenanceOf(options, $"RAPL of {packages.Length} CPU package{(packages.Length == 1 ? "" : "s")}");
    }

    public PowerProvenance Provenance { get; }
    public string? Problem { get; private set; }

    public static RaplMeter? Find(SysFiles files, TimeProvider time, PowerOptions options)
    {
        var packages = files.List("/sys/class/powercap", "intel-rapl:*")
            .Where(zone => files.ReadText($"{zone}/name")?.StartsWith("package", StringComparison.Ordinal) == true)
            .Select(zone => new Package($"{zone}/energy_uj", files.ReadLong($"{zone}/max_energy_range_uj"))).ToArray();
        return packages.Length > 0 ? new RaplMeter(files, time, packages, options) : null;
    }

    public IReadOnlyList<string> GuardedFiles => [.. _packages.Select(package => package.Path)];

    public bool TryRead(out PowerSample sample)
    {
        var sum = 0.0;
        foreach (var package in _packages)
        {
            if (_files.ReadLong(package.Path) is not { } microjoules)
            {
                Problem = $"RAPL cannot be read ({_files.WhyUnreadable(package.Path) ?? "not a number"}: {package.Path}); let the agent's user read it by a udev rule as the Debian package's.";
                sample = default;
                return false;
            }
            sum += package.Unwrap(microjoules);
        }
        Problem = null;
        sample = PowerSample.OfJoules(_time.GetTimestamp(), sum * Micro);
        return true;
    }

    /// <summary>What can be said of a meter that is not there yet.</summary>
    public static PowerProvenance Expected(PowerOptions options) => ProvenanceOf(options, "RAPL");

    public void Dispose() { }

    private static PowerProvenance ProvenanceOf(PowerOptions options, string description) =>
        new(EnergyMethod.Derived, "rapl", EnergyScope.Package, options.SamplesPerSecond ?? PowerMeters.UsualSamplesPerSecond, StatedUncertainty, description);

    private sealed class Package(string path, long? range)
    {
        private long? _last;
        private double _microjoules;

        public string Path => path;

        /// <summary>The counter begins again at 0 after its range; how often is known as long as it is read more than once per round.</summary>
        public double Unwrap(long microjoules)
        {
            if (_last is { } last) _microjoules += microjoules >= last ? microjoules - last : Math.Max(0, (range ?? last) - last) + microjoules;
            _last = microjoules;
            return _microjoules;
        }
    }
}
