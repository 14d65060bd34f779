using System.Globalization;
using Dunlin.Contracts.Messages;

namespace Dunlin.Telemetry.Board;

/// <summary>
/// What the board says of itself below <c>/sys</c>, <c>/proc</c> and <c>/etc</c>. What it does not say is null, never 0 and
/// never an exception. Not for several threads at once: throttling is told since the last look.
/// </summary>
/// <param name="root">Where these trees are; another than <c>/</c> for recorded ones.</param>
public sealed class BoardSensors(string root = "/")
{
    private const double KilohertzPerMegahertz = 1000;

    private readonly SysFiles _files = new(root);
    private readonly ProcessReader _processes = new(new SysFiles(root));
    private readonly ThrottleDetector _throttle = new(new SysFiles(root));

    public Hardware ReadHardware() => new HardwareReader(_files, _processes).Read();

    /// <summary>The hottest CPU zone.</summary>
    public double? ReadCelsius() => new Thermometer(_files).ReadCelsius();

    /// <summary>Whether the clock is held down, or was since the last call, and by what (<see cref="ThermalWindow.ThrottleReason"/>).</summary>
    public (bool? Throttled, string? Reason) ReadThrottling() => _throttle.Read();

    /// <summary>What it runs on, if that is a battery.</summary>
    public BatteryState? ReadBattery() => new BatteryReader(_files).Read();

    /// <summary>Mean over the cores.</summary>
    public double? ReadCpuMegahertz()
    {
        var (sum, count) = (0.0, 0);
        foreach (var cpu in _files.List("/sys/devices/system/cpu", "cpu*"))
            if (_files.ReadLong($"{cpu}/cpufreq/scaling_cur_freq") is > 0 and { } kilohertz) { sum += kilohertz / KilohertzPerMegahertz; count++; }
        if (count == 0)
            foreach (var line in _files.ReadLines("/proc/cpuinfo"))
                if (line.StartsWith("cpu MHz", StringComparison.Ordinal) && double.TryParse(line[(line.IndexOf(':') + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out var megahertz)) { sum += megahertz; count++; }
        return count == 0 ? null : sum / count;
    }

    /// <summary>Bytes that can be used without swapping.</summary>
    public long? ReadAvailableByteCount() => _processes.ReadAvailableByteCount();

    /// <summary>Proportional set size of a process in bytes; readable for processes of the same user.</summary>
    public long? ReadPssByteCount(int pid) => _processes.ReadPssByteCount(pid);

    /// <summary>User and system time of a process and of all that it started, ended ones included, in steps of 10 ms.</summary>
    public TimeSpan? ReadTreeCpuTime(int pid) => _processes.ReadTreeCpuTime(pid);

    /// <summary>Busy seconds of all cores since boot.</summary>
    public double? ReadBusySeconds() => _processes.ReadBusySeconds();
}
