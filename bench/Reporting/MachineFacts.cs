using System.Globalization;
using System.Runtime.InteropServices;
using Dunlin.Runtime.Racing;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Bench.Reporting;

/// <summary>Where it was measured, and how quiet it was there.</summary>
internal sealed record MachineFacts
{
    public required string Cpu { get; init; }
    public required int Cores { get; init; }
    public required double MemoryGibibytes { get; init; }
    public required string Kernel { get; init; }
    public required string DotNet { get; init; }
    public required string OnnxRuntime { get; init; }

    /// <summary>Average number of runnable processes in the minute before the run, when none of them was ours.</summary>
    public required double LoadBefore { get; init; }

    /// <summary>Share of the CPU time that the hypervisor gave to others during the run, per cent.</summary>
    public double StolenPercent { get; init; }

    public static MachineFacts Read()
    {
        var board = BoardFacts.Read();
        return new MachineFacts
        {
            Cpu = board.CpuModel,
            Cores = board.UsableCores,
            MemoryGibibytes = board.MemoryLimitByteCount / (double)(1 << 30),
            Kernel = board.Kernel,
            DotNet = RuntimeInformation.FrameworkDescription,
            OnnxRuntime = Providers.OnnxRuntimeVersion,
            LoadBefore = double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture),
        };
    }

    public MachineFacts With((double Stolen, double Total) before, (double Stolen, double Total) after) =>
        this with { StolenPercent = 100 * (after.Stolen - before.Stolen) / (after.Total - before.Total) };
}
