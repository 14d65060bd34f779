using System.Globalization;

namespace Dunlin.Runtime.Racing;

/// <summary>Reads <see cref="BoardFacts"/> out of <c>/proc</c> and <c>/sys</c>; what is missing there is left out or said to be unknown.</summary>
internal sealed class BoardReader(string root)
{
    public BoardFacts Read()
    {
        var cpu = Fields("proc/cpuinfo");
        var memory = Fields("proc/meminfo");
        var groups = ControlGroups();
        var total = KibiBytes(memory, "MemTotal");
        var limit = groups.Select(group => Number(group, "memory.max")).Append(total).OfType<long>().DefaultIfEmpty(0).Min();
        var free = groups.Select(group => Number(group, "memory.max") - Number(group, "memory.current"))
            .Append(KibiBytes(memory, "MemAvailable")).OfType<long>().DefaultIfEmpty(limit).Min();
        return new BoardFacts
        {
            CpuModel = Model(cpu),
            CpuFlags = Words(cpu.GetValueOrDefault("flags") ?? cpu.GetValueOrDefault("Features")),
            UsableCores = UsableCores(groups),
            MemoryLimitByteCount = limit,
            MemoryAvailableByteCount = Math.Max(0, free),
            CpuGovernor = Text("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            Kernel = Text("proc/sys/kernel/osrelease") ?? "unknown",
        };
    }

    private string Model(Dictionary<string, string> cpu)
    {
        if (cpu.TryGetValue("model name", out var name)) return name;
        var board = Text("proc/device-tree/model")?.TrimEnd('\0') ?? cpu.GetValueOrDefault("Model") ?? cpu.GetValueOrDefault("Hardware");
        var core = cpu.TryGetValue("CPU part", out var part) ? $"Arm {cpu.GetValueOrDefault("CPU implementer", "?")}/{part}" : "unknown";
        return board is null ? core : $"{board} ({core})";
    }

    private int UsableCores(List<string> groups)
    {
        var allowed = AllowedCores();
        foreach (var group in groups)
        {
            if (Text($"{group}/cpu.max")?.Split(' ') is not [var quota, var period] || !Parse(quota, out var share) || !Parse(period, out var whole) || whole == 0) continue;
            allowed = Math.Min(allowed, (int)Math.Ceiling((double)share / whole));
        }

        return Math.Max(1, allowed);
    }

    // The process's own group and all above it: the tightest one counts. Version 2 only.
    private List<string> ControlGroups()
    {
        var line = Lines("proc/self/cgroup").FirstOrDefault(line => line.StartsWith("0::/", StringComparison.Ordinal));
        var groups = new List<string> { "sys/fs/cgroup" };
        if (line is null || line.Contains("..", StringComparison.Ordinal)) return groups;
        foreach (var name in line[4..].Split('/', StringSplitOptions.RemoveEmptyEntries)) groups.Add($"{groups[^1]}/{name}");
        return groups;
    }

    // The kernel does not take what is offline out of what is allowed.
    private int AllowedCores()
    {
        if (Cores(Fields("proc/self/status").GetValueOrDefault("Cpus_allowed_list")) is not { } allowed) return Environment.ProcessorCount;
        if (Cores(Text("sys/devices/system/cpu/online")) is { } online) allowed.IntersectWith(online);
        return allowed.Count;
    }

    /// <summary>0-3,8 are five; null if it is no such list.</summary>
    private static HashSet<int>? Cores(string? list)
    {
        if (string.IsNullOrWhiteSpace(list)) return null;
        var cores = new HashSet<int>();
        foreach (var range in list.Split(','))
        {
            var ends = range.Split('-');
            if (!Parse(ends[0], out var first) || !Parse(ends[^1], out var last)) return null;
            for (var core = first; core <= last; core++) cores.Add((int)core);
        }

        return cores;
    }

    // The first of several values, for example of the first core.
    private Dictionary<string, string> Fields(string path)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in Lines(path))
            if (line.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon) fields.TryAdd(line[..colon].Trim(), line[(colon + 1)..].Trim());
        return fields;
    }

    private static long? KibiBytes(Dictionary<string, string> fields, string name) =>
        fields.TryGetValue(name, out var text) && Parse(text.Split(' ')[0], out var value) ? 1024 * value : null;

    private long? Number(string group, string file) => Text($"{group}/{file}") is { } text && Parse(text, out var value) ? value : null;

    private static bool Parse(string text, out long value) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private static HashSet<string> Words(string? text) =>
        [.. (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)];

    private string? Text(string path) => Lines(path) is [var first, ..] ? first.Trim() : null;

    private string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(root, path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
