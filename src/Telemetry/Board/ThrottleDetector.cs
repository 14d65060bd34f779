using System.Globalization;

namespace Dunlin.Telemetry.Board;

/// <summary>
/// Whether something holds the clock down, now or since the last look. Looks at the Raspberry Pi firmware's flags, its
/// under-voltage alarm, x86 throttle counters, CPU cooling devices, and a maximum frequency that was lowered while we watched.
/// Counters and lasting flags count from the first look, so each detector tells of its own time only.
/// </summary>
internal sealed class ThrottleDetector(SysFiles files)
{
    public const string UnderVoltage = "under-voltage", Thermal = "thermal", FrequencyCapped = "frequency-capped";

    // Raspberry Pi firmware, get_throttled: now in bits 0…3, since boot in 16…19.
    private const long UnderVoltageBit = 1 << 0, CappedBit = 1 << 1, ThrottledBit = 1 << 2, SoftLimitBit = 1 << 3;
    private const int LastingShift = 16;

    /// <summary>A race looks twice in each round, and a search costs more than a look; but drivers may be loaded after us.</summary>
    private const int LooksPerSearch = 64;

    private readonly Dictionary<string, long> _before = [];
    private Sources _sources = Sources.None;
    private int _lookCount;

    /// <summary>False and no reason if something was readable and nothing holds the clock down; null if nothing was readable.</summary>
    public (bool? Throttled, string? Reason) Read()
    {
        bool? throttled = null;
        string? reason = null;
        void Saw(string? cause)
        {
            throttled ??= false;
            if (cause is null) return;
            throttled = true;
            if (reason is null || Rank(cause) < Rank(reason)) reason = cause;
        }

        if (_lookCount++ % LooksPerSearch == 0) _sources = Sources.Find(files);
        foreach (var flags in _sources.Firmware) ReadFirmware(flags, Saw);
        foreach (var path in _sources.Alarms)
            if (files.ReadLong(path) is { } alarm) Saw(alarm != 0 ? UnderVoltage : null);
        foreach (var path in _sources.Counters)
            if (files.ReadLong(path) is { } count) Saw(Rose(path, count) ? Thermal : null);
        foreach (var path in _sources.Maxima)
            if (files.ReadLong(path) is { } maximum) Saw(Fell(path, maximum) ? FrequencyCapped : null);
        foreach (var path in _sources.Cooling)
            if (files.ReadLong(path) is { } state) Saw(state > 0 ? Thermal : null);
        return (throttled, reason);
    }

    private void ReadFirmware(string path, Action<string?> saw)
    {
        var text = files.ReadText(path);
        if (text is null || !long.TryParse(text.StartsWith("0x", StringComparison.Ordinal) ? text[2..] : text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var flags)) return;
        var lasting = flags >> LastingShift;
        var fresh = _before.TryGetValue(path, out var known) ? lasting & ~known : 0;
        _before[path] = lasting;
        var now = flags | fresh;
        saw((now & UnderVoltageBit) != 0 ? UnderVoltage : (now & (ThrottledBit | SoftLimitBit)) != 0 ? Thermal : (now & CappedBit) != 0 ? FrequencyCapped : null);
    }

    private bool Rose(string key, long value)
    {
        var rose = _before.TryGetValue(key, out var before) && value > before;
        _before[key] = value;
        return rose;
    }

    private bool Fell(string key, long value)
    {
        // A cap that an administrator set before we came is the board's speed.
        var highest = Math.Max(value, _before.GetValueOrDefault(key));
        _before[key] = highest;
        return value < highest;
    }

    /// <summary>The cause that a person must act on first.</summary>
    private static int Rank(string cause) => cause switch { UnderVoltage => 0, Thermal => 1, _ => 2 };

    /// <summary>The files of this board that tell.</summary>
    private sealed record Sources(string[] Firmware, string[] Alarms, string[] Counters, string[] Maxima, string[] Cooling)
    {
        public static Sources None { get; } = new([], [], [], [], []);

        public static Sources Find(SysFiles files)
        {
            var cpus = files.List("/sys/devices/system/cpu", "cpu*");
            return new Sources(
                Readable(files.List("/sys/devices/platform", "soc*").SelectMany(soc => files.List(soc, "*:firmware")).Select(firmware => $"{firmware}/get_throttled")),
                Readable(files.List("/sys/class/hwmon", "hwmon*").Where(chip => files.ReadText($"{chip}/name") == "rpi_volt").Select(chip => $"{chip}/in0_lcrit_alarm")),
                Readable(cpus.SelectMany(cpu => (string[])[$"{cpu}/thermal_throttle/core_throttle_count", $"{cpu}/thermal_throttle/package_throttle_count"])),
                Readable(cpus.Select(cpu => $"{cpu}/cpufreq/scaling_max_freq")),
                Readable(files.List("/sys/class/thermal", "cooling_device*").Where(device => CoolsTheCpu(files.ReadText($"{device}/type"))).Select(device => $"{device}/cur_state")));

            string[] Readable(IEnumerable<string> paths) => [.. paths.Where(path => files.ReadText(path) is not null)];
        }

        private static bool CoolsTheCpu(string? type) =>
            type == "Processor" || type?.Contains("cpufreq", StringComparison.Ordinal) == true || type?.Contains("throttle", StringComparison.Ordinal) == true;
    }
}
