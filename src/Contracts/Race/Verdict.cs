using System.Text.Json.Serialization;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;

namespace Dunlin.Contracts.Race;

/// <summary>How a race ended: every contender with its reasons and measurements. Cached by fingerprint, published retained.</summary>
public sealed record Verdict
{
    public const string CurrentSchema = "dunlin.race.v1";

    public required string Schema { get; init; }

    /// <summary>Digest of <see cref="Conditions"/>; another fingerprint asks for another race.</summary>
    public required Digest Fingerprint { get; init; }

    public required RaceConditions Conditions { get; init; }

    /// <summary>Wall time of the start; informative.</summary>
    public required DateTimeOffset Started { get; init; }

    public required double ElapsedMilliseconds { get; init; }

    /// <summary>Null if nothing could run.</summary>
    public ContenderId? Winner { get; init; }

    /// <summary>Why the winner won, or why nobody did, in a sentence.</summary>
    public required string Reason { get; init; }

    public required IReadOnlyList<ContenderVerdict> Contenders { get; init; }
}

/// <summary>All that a verdict depends on.</summary>
public sealed record RaceConditions
{
    public required Digest Release { get; init; }
    public required IReadOnlyList<ContenderId> Contenders { get; init; }
    public required Objective Objective { get; init; }

    /// <summary>Top-1 in 0…1.</summary>
    public required double AccuracyFloor { get; init; }

    /// <summary>Milliseconds per frame; null means none.</summary>
    public double? DeadlineMilliseconds { get; init; }

    public required int BudgetMilliseconds { get; init; }
    public required int UsableCores { get; init; }

    /// <summary>Bytes: the smaller of the board's memory and the control group's limit.</summary>
    public required long MemoryLimitByteCount { get; init; }

    public required string OnnxRuntimeVersion { get; init; }
    public required string AgentVersion { get; init; }
    public required string CpuModel { get; init; }

    /// <summary>The frequency governor; null where the kernel shows none.</summary>
    public string? CpuGovernor { get; init; }

    public required IReadOnlyList<string> ExecutionProviders { get; init; }
    public required string Kernel { get; init; }

    /// <summary>What weighs joules; null where nothing does, or latency alone decides.</summary>
    public string? PowerMeter { get; init; }
}

/// <summary>Variant × execution provider × intra-op thread count.</summary>
public sealed record ContenderId(string Variant, string ExecutionProvider, int Threads)
{
    public override string ToString() => $"{Variant} on {ExecutionProvider}, {Threads} thread{(Threads == 1 ? "" : "s")}";
}

public sealed record ContenderVerdict
{
    public required ContenderId Contender { get; init; }
    public required ContenderOutcome Outcome { get; init; }

    /// <summary>A code, for example <c>provider.missing</c>, <c>memory.insufficient</c>, <c>cpu.feature-missing</c>, <c>quarantined</c>, <c>golden.failed</c>, <c>slower</c>.</summary>
    public required string ReasonCode { get; init; }

    /// <summary>The same in a sentence, with the numbers.</summary>
    public required string Reason { get; init; }

    /// <summary>Timed runs that counted.</summary>
    public int RunCount { get; init; }

    /// <summary>Runs left out because the board throttled.</summary>
    public int ThrottledRunCount { get; init; }

    public Percentiles? LatencyMilliseconds { get; init; }

    /// <summary>Process CPU time per inference.</summary>
    public double? CpuMilliseconds { get; init; }

    public JoulesPerInference? Energy { get; init; }

    /// <summary>Bytes of memory that the session added.</summary>
    public long? MemoryByteCount { get; init; }

    public GoldenResult? Golden { get; init; }

    /// <summary>Workstation top-1 in 0…1, from the manifest.</summary>
    public required double Top1 { get; init; }
}

public enum ContenderOutcome
{
    [JsonStringEnumMemberName("won")] Won = 1,
    [JsonStringEnumMemberName("lost")] Lost = 2,

    /// <summary>As fast as the winner as far as the race could tell, or within the tie margin.</summary>
    [JsonStringEnumMemberName("tied")] Tied = 3,

    /// <summary>Left before the first run.</summary>
    [JsonStringEnumMemberName("blocked")] Blocked = 4,

    /// <summary>Crashed, hung, ran out of memory, or failed its golden check.</summary>
    [JsonStringEnumMemberName("failed")] Failed = 5,
}

/// <summary>What the golden check counted on this device.</summary>
public sealed record GoldenResult(int SampleCount, int AgreementCount, int CorrectCount, bool Passed);

public sealed record JoulesPerInference(double Joules, EnergyMethod Method, string Source);
