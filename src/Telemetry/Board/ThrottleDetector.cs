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

    private readonly Dictionary<string, long> _before = [];

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

        ReadFirmware(Saw);
        foreach (var chip in files.List("/sys/class/hwmon", "hwmon*"))
            if (files.ReadText($"{chip}/name") == "rpi_volt" && files.ReadLong($"{chip}/in0_lcrit_alarm") is { } alarm)
                Saw(alarm != 0 ? UnderVoltage : null);
        foreach (var cpu in files.List("/sys/devices/system/cpu", "cpu*"))
        {
            foreach (var counter in (ReadOnlySpan<string>)["core_throttle_count", "package_throttle_count"])
                if (files.ReadLong($"{cpu}/thermal_throttle/{counter}") is { } count)
                    Saw(Rose($"{cpu}/{counter}", count) ? Thermal : null);
            if (files.ReadLong($"{cpu}/cpufreq/scaling_max_freq") is { } maximum)
                Saw(Fell($"{cpu}/max", maximum) ? FrequencyCapped : null);
        }
        foreach (var device in files.List("/sys/class/thermal", "cooling_device*"))
            if (files.ReadText($"{device}/type") is { } type && CoolsTheCpu(type) && files.ReadLong($"{device}/cur_state") is { } state)
                Saw(state > 0 ? Thermal : null);
        return (throttled, reason);
    }

    private void ReadFirmware(Action<string?> saw)
    {
        foreach (var soc in files.List("/sys/devices/platform", "soc*"))
            foreach (var firmware in files.List(soc, "*:firmware"))
            {
                var text = files.ReadText($"{firmware}/get_throttled");
                if (text is null || !long.TryParse(text.StartsWith("0x", StringComparison.Ordinal) ? text[2..] : text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var flags)) continue;
                var lasting = flags >> LastingShift;
                var fresh = _before.TryGetValue(firmware, out var known) ? lasting & ~known : 0;
                _before[firmware] = lasting;
                var now = flags | fresh;
                saw((now & UnderVoltageBit) != 0 ? UnderVoltage : (now & (ThrottledBit | SoftLimitBit)) != 0 ? Thermal : (now & CappedBit) != 0 ? FrequencyCapped : null);
            }
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

    private static bool CoolsTheCpu(string type) =>
        type == "Processor" || type.Contains("cpufreq", StringComparison.Ordinal) || type.Contains("throttle", StringComparison.Ordinal);

    /// <summary>The cause that a person must act on first.</summary>
    private static int Rank(string cause) => cause switch { UnderVoltage => 0, Thermal => 1, _ => 2 };
}
