using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Board;

namespace Dunlin.Telemetry.Power;

/// <summary>A power sensor with a kernel driver, read under <c>/sys/class/hwmon</c>: energy counters, power, or current × voltage.</summary>
internal sealed class HwmonMeter : IPowerMeter
{
    private const double Micro = 1e-6, Milli = 1e-3;

    /// <summary>Gain error and a 1 % shunt; the driver does not say which shunt is there.</summary>
    private const double StatedUncertainty = 0.02;

    /// <summary>Chips that sit in a supply.</summary>
    private static readonly string[] SupplyChips = ["ina209", "ina219", "ina220", "ina226", "ina230", "ina231", "ina232", "ina233", "ina234", "ina236", "ina237", "ina238", "ina260", "ina3221", "ina2xx", "ltc2945", "ltc2947", "ltc4151", "pac1921", "pac1934", "isl28022", "sy24655"];

    /// <summary>Chips whose power is not the board's: graphics, disks, batteries, chargers.</summary>
    private static readonly string[] ForeignChips = ["amdgpu", "nouveau", "radeon", "i915", "xe", "nvme", "ucsi", "BAT", "AC", "ADP", "macsmc", "hidpp", "iwlwifi", "rpi_volt"];

    /// <summary>Labels of the channel that all of the board's supply passes (NVIDIA's Jetson boards).</summary>
    private static readonly string[] InputLabels = ["VDD_IN", "POM_5V_IN", "VDD_5V_IN", "VIN_SYS_5V0", "VIN"];

    private readonly SysFiles _files;
    private readonly TimeProvider _time;
    private readonly Channel[] _channels;

    private HwmonMeter(SysFiles files, TimeProvider time, string chip, Channel[] channels, PowerOptions options)
    {
        (_files, _time, _channels) = (files, time, channels);
        var rails = string.Join(" + ", channels.Select(channel => channel.Label));
        Provenance = ProvenanceOf(options, options.FeedsWholeBoard || channels is [{ IsInput: true }], $"{chip} ({rails})");
    }

    public PowerProvenance Provenance { get; }
    public string? Problem { get; private set; }

    /// <summary>All chips that give power, those in a supply first.</summary>
    public static IReadOnlyList<HwmonMeter> Find(SysFiles files, TimeProvider time, PowerOptions options)
    {
        var found = new List<(bool Supply, HwmonMeter Meter)>();
        foreach (var (name, all) in Chips(files))
        {
            var channels = all;
            if (options.Channel is { } wanted) channels = [.. channels.Where(channel => channel.Label == wanted || channel.Number == wanted)];
            else if (channels.FirstOrDefault(channel => channel.IsInput) is { } input) channels = [input];
            if (channels.Length > 0) found.Add((SupplyChips.Contains(name), new HwmonMeter(files, time, name, channels, options)));
        }
        return [.. found.OrderByDescending(pair => pair.Supply).Select(pair => pair.Meter)];
    }

    /// <summary>What can be said of a meter that is not there yet.</summary>
    public static PowerProvenance Expected(PowerOptions options) => ProvenanceOf(options, options.FeedsWholeBoard, "hwmon sensor");

    /// <summary>Why <see cref="Find"/> finds none.</summary>
    public static string WhyNone(SysFiles files, PowerOptions options)
    {
        var chips = Chips(files).Select(chip => $"{chip.Name} has {string.Join(", ", chip.Channels.Select(channel => $"'{channel.Label}' ({channel.Number})"))}").ToList();
        return options.Channel is { } wanted && chips.Count > 0
            ? $"No hwmon sensor has the channel '{wanted}': {string.Join("; ", chips)}. Set Power:Channel to a label or number of these."
            : "No sensor under /sys/class/hwmon gives power; load its driver, or set another Power:Kind.";
    }

    public bool TryRead(out PowerSample sample)
    {
        var sum = 0.0;
        foreach (var channel in _channels)
        {
            if (channel.Read(_files) is not { } value)
            {
                Problem = $"{Provenance.Description} gives no {(channel.CountsEnergy ? "energy" : "power")} ({_files.WhyUnreadable(channel.Path) ?? "not a number"}: {channel.Path}); check the driver and the wiring.";
                sample = default;
                return false;
            }
            sum += value;
        }
        Problem = null;
        sample = _channels[0].CountsEnergy ? PowerSample.OfJoules(_time.GetTimestamp(), sum) : PowerSample.OfWatts(_time.GetTimestamp(), sum);
        return true;
    }

    public void Dispose() { }

    private static PowerProvenance ProvenanceOf(PowerOptions options, bool isBoard, string description) =>
        new(EnergyMethod.Measured, "hwmon", isBoard ? EnergyScope.Board : EnergyScope.Rail,
            options.SamplesPerSecond ?? PowerMeters.UsualSamplesPerSecond, StatedUncertainty, description);

    /// <summary>Those that give power.</summary>
    private static IEnumerable<(string Name, Channel[] Channels)> Chips(SysFiles files)
    {
        foreach (var folder in files.List("/sys/class/hwmon", "hwmon*"))
        {
            if (files.ReadText($"{folder}/name") is not { } name || ForeignChips.Any(foreign => name.StartsWith(foreign, StringComparison.Ordinal))) continue;
            if (ChannelsOf(files, folder, name) is { Length: > 0 } channels) yield return (name, channels);
        }
    }

    /// <summary>Energy counters if there are any, else power, else current × voltage; never a mixture.</summary>
    private static Channel[] ChannelsOf(SysFiles files, string folder, string chip)
    {
        var energy = Numbered(files, folder, "energy", "_input").Select(n => new Channel(folder, n, LabelOf(files, folder, "energy", n), $"{folder}/energy{n}_input", Micro, null)).ToArray();
        if (energy.Length > 0) return [.. energy.Select(channel => channel with { CountsEnergy = true })];
        var power = Numbered(files, folder, "power", "_input").Select(n => (n, Suffix: "_input"))
            .Concat(Numbered(files, folder, "power", "_average").Select(n => (n, Suffix: "_average"))).DistinctBy(pair => pair.n)
            .Select(pair => new Channel(folder, pair.n, LabelOf(files, folder, "power", pair.n), $"{folder}/power{pair.n}{pair.Suffix}", Micro, null)).ToArray();
        if (power.Length > 0) return power;
        return [.. Numbered(files, folder, "curr", "_input").Where(n => HasBusVoltage(chip, n) && files.ReadText($"{folder}/in{n}_input") is not null)
            .Where(n => files.ReadLong($"{folder}/in{n}_enable") != 0)
            .Select(n => new Channel(folder, n, LabelOf(files, folder, "in", n), $"{folder}/curr{n}_input", Milli, $"{folder}/in{n}_input"))];
    }

    /// <summary>An INA3221 has three: its in4 to in7 are shunt voltages, and its curr4 is the sum of the other currents (the kernel's hwmon/ina3221.rst).</summary>
    private static bool HasBusVoltage(string chip, string number) => chip != "ina3221" || number is "1" or "2" or "3";

    private static IEnumerable<string> Numbered(SysFiles files, string folder, string kind, string suffix) =>
        files.List(folder, $"{kind}*{suffix}").Select(path => Path.GetFileName(path)[kind.Length..^suffix.Length]).Where(n => n.Length > 0 && n.All(char.IsAsciiDigit));

    private static string LabelOf(SysFiles files, string folder, string kind, string n) =>
        files.ReadText($"{folder}/{kind}{n}_label") ?? files.ReadText($"{folder}/in{n}_label") ?? $"channel {n}";

    private sealed record Channel(string Folder, string Number, string Label, string Path, double Factor, string? VoltagePath)
    {
        public bool CountsEnergy { get; init; }
        public bool IsInput => InputLabels.Contains(Label);

        public double? Read(SysFiles files) =>
            files.ReadDouble(Path) * Factor * (VoltagePath is null ? 1 : files.ReadDouble(VoltagePath) * Milli);
    }
}
