using System.Globalization;

namespace Dunlin.Runtime.Racing;

/// <summary>
/// Whether the board holds its CPU back: a cooling device of the CPU at work, a rise of x64's throttle counters, or the
/// Raspberry Pi firmware saying so. A file that is missing says nothing. A few microseconds per question; one thread.
/// </summary>
public sealed class CpuThrottling
{
    // Under-voltage, frequency capped, throttled, soft temperature limit: now, not in the past.
    private const int RaspberryPiNow = 0xF;

    private readonly string[] _cooling;
    private readonly string[] _counters;
    private readonly string _firmware;
    private readonly long[] _seen;

    public CpuThrottling(string root = "/")
    {
        var thermal = Path.Combine(root, "sys/class/thermal");
        _cooling = [.. Folders(thermal, "cooling_device*")
            .Where(folder => Read(Path.Combine(folder, "type")) is { } type && (type.Contains("cpufreq", StringComparison.Ordinal) || type == "Processor"))
            .Select(folder => Path.Combine(folder, "cur_state"))];
        _counters = [.. Folders(Path.Combine(root, "sys/devices/system/cpu"), "cpu*")
            .Select(folder => Path.Combine(folder, "thermal_throttle/core_throttle_count")).Where(File.Exists)];
        _firmware = Path.Combine(root, "sys/devices/platform/soc/soc:firmware/get_throttled");
        _seen = [.. _counters.Select(Count)];
    }

    /// <summary>True if it is, or was since the last question.</summary>
    public bool IsThrottled()
    {
        var throttled = _cooling.Any(path => Count(path) > 0);
        for (var i = 0; i < _counters.Length; i++)
        {
            var count = Count(_counters[i]);
            throttled |= count > _seen[i];
            _seen[i] = count;
        }

        return throttled || (Read(_firmware) is { } hex
            && int.TryParse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var bits) && (bits & RaspberryPiNow) != 0);
    }

    private static long Count(string path) =>
        Read(path) is { } text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;

    private static string[] Folders(string path, string pattern) => Directory.Exists(path) ? Directory.GetDirectories(path, pattern) : [];

    private static string? Read(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
