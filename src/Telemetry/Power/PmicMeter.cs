using System.Globalization;
using Dunlin.Contracts.Messages;

namespace Dunlin.Telemetry.Power;

/// <summary>
/// The Raspberry Pi 5's power management chip: the sum of current × voltage over the rails that <c>vcgencmd pmic_read_adc</c>
/// lists. What bypasses the chip (USB devices, the losses of the 5 V input) is not in it. <c>readAdc</c> runs the command and
/// gives its output, or the reason why there is none.
/// </summary>
internal sealed class PmicMeter(PowerOptions options, TimeProvider time, Func<(string? Output, string? Reason)> readAdc) : IPowerMeter
{
    private const double StatedUncertainty = 0.1, UsualSamplesPerSecond = 1;

    public PowerProvenance Provenance { get; } = new(EnergyMethod.Derived, "rpi5-pmic", EnergyScope.Rail,
        options.SamplesPerSecond ?? UsualSamplesPerSecond, StatedUncertainty, "Raspberry Pi 5 PMIC (vcgencmd pmic_read_adc)");

    public string? Problem { get; private set; }

    public bool TryRead(out PowerSample sample)
    {
        var before = time.GetTimestamp();
        var (output, reason) = readAdc();
        if (output is not null && ParseWatts(output) is { } watts)
        {
            Problem = null;
            // Half-way: the command takes milliseconds.
            sample = PowerSample.OfWatts(before + (time.GetTimestamp() - before) / 2, watts);
            return true;
        }
        Problem = $"{Provenance.Description} gives no power ({reason ?? "no rail with current and voltage in its output"}); install raspi-utils and put the agent's user into group video.";
        sample = default;
        return false;
    }

    public void Dispose() { }

    /// <summary>Lines such as <c>VDD_CORE_A current(7)=1.07500000A</c> and <c>VDD_CORE_V volt(15)=0.72012450V</c>; null without a complete rail.</summary>
    internal static double? ParseWatts(string output)
    {
        var amperes = new Dictionary<string, double>();
        var volts = new Dictionary<string, double>();
        foreach (var line in output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var space = line.IndexOf(' ');
            var equals = line.IndexOf('=');
            if (space < 2 || equals < space || line.Length < equals + 3) continue;
            if (!double.TryParse(line.AsSpan()[(equals + 1)..^1], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value)) continue;
            var rail = line[..(space - 2)];
            if (line.AsSpan(0, space).EndsWith("_A") && line[^1] == 'A') amperes[rail] = value;
            else if (line.AsSpan(0, space).EndsWith("_V") && line[^1] == 'V') volts[rail] = value;
        }
        double? watts = null;
        foreach (var (rail, current) in amperes)
            if (volts.TryGetValue(rail, out var voltage)) watts = (watts ?? 0) + current * voltage;
        return watts;
    }
}
