using System.Globalization;
using Dunlin.TestKit.Machine;

namespace Dunlin.Bench.Measuring;

/// <summary>What processes use, as the kernel counts it.</summary>
internal static class ProcessUse
{
    private const double TicksPerSecond = 100;
    private const int UserTicks = 11;
    private const int SystemTicks = 12;

    /// <summary>The process and all its descendants.</summary>
    public static IReadOnlyList<int> Tree(int process)
    {
        var all = new List<int> { process };
        for (var i = 0; i < all.Count; i++) all.AddRange(ProcessTable.ChildrenOf(all[i]));
        return all;
    }

    /// <summary>User and system seconds of these processes, whose threads may have ended; 10 ms resolution.</summary>
    public static double CpuSeconds(IEnumerable<int> processes) => processes.Sum(CpuSeconds);

    /// <summary>Nanoseconds on a core of the threads that a process has now.</summary>
    public static long ThreadNanoseconds(int process) => Directory.GetDirectories($"/proc/{process}/task").Sum(task =>
        long.Parse(File.ReadAllText(Path.Combine(task, "schedstat")).Split(' ')[0], CultureInfo.InvariantCulture));

    /// <summary>Proportional set size of these processes together, MiB.</summary>
    public static double PssMebibytes(IEnumerable<int> processes) => processes.Sum(process =>
    {
        var line = File.ReadLines($"/proc/{process}/smaps_rollup").First(l => l.StartsWith("Pss:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024.0;
    });

    /// <summary>The most that was resident in a process so far; 0 once it has ended.</summary>
    public static double PeakMebibytes(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024.0;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>Share of CPU time that the hypervisor took away, 0…1, and the time itself to compare with later.</summary>
    public static (double Stolen, double Total) Steal()
    {
        var numbers = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        return (numbers[7], numbers.Sum());
    }

    private static double CpuSeconds(int process)
    {
        var stat = File.ReadAllText($"/proc/{process}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[UserTicks], CultureInfo.InvariantCulture) + long.Parse(fields[SystemTicks], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }
}
