namespace Dunlin.Runtime.Racing;

/// <summary>What a race depends on of this board. Read by the supervisor; needs no ONNX Runtime.</summary>
public sealed record BoardFacts
{
    public required string CpuModel { get; init; }

    /// <summary>Flags (x64) or features (arm64) of <c>/proc/cpuinfo</c>.</summary>
    public required IReadOnlySet<string> CpuFlags { get; init; }

    /// <summary>Cores that this process may use: its affinity, cut by the control group's quota (rounded up).</summary>
    public required int UsableCores { get; init; }

    /// <summary>Bytes: the smaller of the board's memory and the control groups' limits.</summary>
    public required long MemoryLimitByteCount { get; init; }

    /// <summary>Bytes that could be had now without swapping, under the same limits.</summary>
    public required long MemoryAvailableByteCount { get; init; }

    /// <summary>Of the first core; null where the kernel shows none.</summary>
    public string? CpuGovernor { get; init; }

    public required string Kernel { get; init; }

    /// <summary>Reads them below a root, which is <c>/</c> but in tests.</summary>
    public static BoardFacts Read(string root = "/") => new BoardReader(root).Read();
}
