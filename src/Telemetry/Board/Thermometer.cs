namespace Dunlin.Telemetry.Board;

/// <summary>The hottest temperature that belongs to the CPU, from thermal zones and hwmon chips.</summary>
internal sealed class Thermometer(SysFiles files)
{
    /// <summary>Beyond these a sensor is broken or not connected.</summary>
    private const double LowestCelsius = -40, HighestCelsius = 150;

    private static readonly string[] CpuChips = ["coretemp", "k10temp", "zenpower", "cpu_thermal", "cputemp"];

    /// <summary>Null where the board shows none.</summary>
    public double? ReadCelsius()
    {
        double? cpu = null, system = null;
        foreach (var zone in files.List("/sys/class/thermal", "thermal_zone*"))
        {
            if (files.ReadText($"{zone}/type") is not { } type || ReadMilliCelsius($"{zone}/temp") is not { } celsius) continue;
            if (IsCpuZone(type)) cpu = Hotter(cpu, celsius);
            else if (IsSystemZone(type)) system = Hotter(system, celsius);
        }
        foreach (var chip in files.List("/sys/class/hwmon", "hwmon*"))
        {
            if (files.ReadText($"{chip}/name") is not { } name || !CpuChips.Contains(name)) continue;
            foreach (var input in files.List(chip, "temp*_input"))
                if (ReadMilliCelsius(input) is { } celsius)
                    cpu = Hotter(cpu, celsius);
        }
        return cpu ?? system;
    }

    private double? ReadMilliCelsius(string path) =>
        files.ReadLong(path) / 1000.0 is { } celsius and > LowestCelsius and < HighestCelsius ? celsius : null;

    private static bool IsCpuZone(string type) =>
        type.Contains("cpu", StringComparison.OrdinalIgnoreCase) || type == "x86_pkg_temp";

    private static bool IsSystemZone(string type) =>
        type == "acpitz" || type.Contains("soc", StringComparison.OrdinalIgnoreCase);

    private static double Hotter(double? a, double b) => a is { } known ? Math.Max(known, b) : b;
}
