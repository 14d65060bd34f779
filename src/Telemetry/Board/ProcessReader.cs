using System.Globalization;

namespace Dunlin.Telemetry.Board;

/// <summary>Memory and CPU time of processes, from <c>/proc</c>.</summary>
internal sealed class ProcessReader(SysFiles files)
{
    /// <summary>USER_HZ, which Linux keeps at 100 for user space on x86 and Arm.</summary>
    private const double TicksPerSecond = 100;

    // Fields of /proc/PID/stat after the name in parentheses, counted from 0 (proc(5): 14…17).
    private const int UserTime = 11, SystemTime = 12, ChildUserTime = 13, ChildSystemTime = 14;

    public long? ReadPssByteCount(int pid) => ReadKilobytes($"/proc/{pid}/smaps_rollup", "Pss:");

    public long? ReadAvailableByteCount() => ReadKilobytes("/proc/meminfo", "MemAvailable:");

    public long? ReadTotalByteCount() => ReadKilobytes("/proc/meminfo", "MemTotal:");

    /// <summary>User and system time of a process and all that it started, those that have ended included. Never falls.</summary>
    public TimeSpan? ReadTreeCpuTime(int pid)
    {
        if (ReadStat(pid) is not { } stat) return null;
        var sum = TimeSpan.FromSeconds((stat[UserTime] + stat[SystemTime] + stat[ChildUserTime] + stat[ChildSystemTime]) / TicksPerSecond);
        foreach (var task in files.List($"/proc/{pid}/task"))
            foreach (var child in files.ReadText($"{task}/children")?.Split(' ') ?? [])
                if (int.TryParse(child, NumberStyles.None, CultureInfo.InvariantCulture, out var childPid))
                    sum += ReadTreeCpuTime(childPid) ?? TimeSpan.Zero;
        return sum;
    }

    /// <summary>Busy seconds of all cores since boot.</summary>
    public double? ReadBusySeconds()
    {
        var fields = (files.ReadLines("/proc/stat").FirstOrDefault() ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 5 || fields[0] != "cpu") return null;
        var ticks = 0.0;
        for (var i = 1; i < Math.Min(fields.Length, 9); i++)
            if (i is not (4 or 5) && double.TryParse(fields[i], NumberStyles.None, CultureInfo.InvariantCulture, out var value)) // idle, iowait
                ticks += value;
        return ticks / TicksPerSecond;
    }

    private long[]? ReadStat(int pid)
    {
        if (files.ReadText($"/proc/{pid}/stat") is not { } text) return null;
        var end = text.LastIndexOf(')');
        var fields = end < 0 ? [] : text[(end + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length <= ChildSystemTime) return null;
        return Array.ConvertAll(fields, field => long.TryParse(field, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : 0);
    }

    private long? ReadKilobytes(string path, string key)
    {
        foreach (var line in files.ReadLines(path))
            if (line.StartsWith(key, StringComparison.Ordinal)
                && long.TryParse(line[key.Length..].Replace("kB", "", StringComparison.Ordinal), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var kilobytes))
                return kilobytes * 1024;
        return null;
    }
}
