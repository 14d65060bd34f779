using System.Text.Json.Serialization;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Contracts.Manifests;

/// <summary>One build of the model, with what the workstation measured of it.</summary>
public sealed record Variant
{
    /// <summary>Unique in the manifest, <c>[a-z0-9][a-z0-9-]{0,62}</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The ONNX file; external data is refused.</summary>
    public required Blob Blob { get; init; }

    public required Precision Precision { get; init; }

    /// <summary>What was done to the reference, in order; empty for the reference itself.</summary>
    public required IReadOnlyList<Technique> Techniques { get; init; }

    public required long ParameterCount { get; init; }

    /// <summary>Multiply-accumulate operations per inference.</summary>
    public required long Macs { get; init; }

    /// <summary>Resident memory of a process running it on the workstation, above the empty process; bytes.</summary>
    public required long PeakMemoryByteCount { get; init; }

    public required Accuracy Accuracy { get; init; }

    public required GoldenFloors Floors { get; init; }

    public required Requirements Requires { get; init; }

    /// <summary>The operators of the graph, <c>Conv</c> for the default domain, <c>com.microsoft:Gelu</c> for another; sorted. A device refuses others.</summary>
    public required IReadOnlyList<string> Operators { get; init; }

    public required Limits Limits { get; init; }
}

/// <summary>The type that most of the arithmetic is done in.</summary>
public enum Precision
{
    [JsonStringEnumMemberName("fp32")] Fp32 = 1,
    [JsonStringEnumMemberName("fp16")] Fp16 = 2,
    [JsonStringEnumMemberName("int8")] Int8 = 3,

    /// <summary>int8 with some layers kept in float.</summary>
    [JsonStringEnumMemberName("mixed")] Mixed = 4,
}

/// <summary>One step from the reference to this variant, for example <c>pruned</c> with <c>ratio: 0.45</c>.</summary>
public sealed record Technique
{
    /// <summary><c>pruned</c>, <c>distilled</c> or <c>quantized</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>What people read: <c>int8 QDQ per-channel</c>.</summary>
    public required string Summary { get; init; }

    public required IReadOnlyDictionary<string, string> Parameters { get; init; }
}

/// <summary>Measured by ONNX Runtime through the device's own preprocessing, on images never trained or calibrated on.</summary>
public sealed record Accuracy
{
    /// <summary>Share 0…1 of the samples whose best class is the label.</summary>
    public required double Top1 { get; init; }

    /// <summary>Share 0…1 of the samples whose label is among the best five.</summary>
    public required double Top5 { get; init; }

    public required int SampleCount { get; init; }

    /// <summary>Lower end of the 95 % Wilson score interval of top-1 (Wilson 1927).</summary>
    public required double Top1Low { get; init; }

    /// <summary>Upper end of the 95 % Wilson score interval of top-1.</summary>
    public required double Top1High { get; init; }
}

/// <summary>
/// Rates that a variant must not fall below on the golden set, each judged by a one-sided exact binomial test at α = 0.01.
/// </summary>
public sealed record GoldenFloors
{
    /// <summary>Share 0…1 of samples classified as on the workstation.</summary>
    public required double Agreement { get; init; }

    /// <summary>Share 0…1 of samples classified right.</summary>
    public required double Top1 { get; init; }
}

/// <summary>What a board must have; a contender without is blocked before the race.</summary>
public sealed record Requirements
{
    /// <summary>ONNX Runtime's names, for example <c>CPUExecutionProvider</c>; any of them will do.</summary>
    public required IReadOnlyList<string> ExecutionProviders { get; init; }

    /// <summary>Flags of <c>/proc/cpuinfo</c>, for example <c>avx2</c> or <c>asimddp</c>; all of them are needed.</summary>
    public required IReadOnlyList<string> CpuFeatures { get; init; }

    /// <summary>Bytes of free memory.</summary>
    public required long MemoryByteCount { get; init; }
}

/// <summary>What a board allows this variant before it calls it broken.</summary>
public sealed record Limits
{
    /// <summary>More than this no manifest may allow for loading.</summary>
    public const int LongestLoadMilliseconds = 600_000;

    /// <summary>Milliseconds for creating the session, on the slowest supported board.</summary>
    public required int LoadMilliseconds { get; init; }

    /// <summary>Bytes of data memory (<c>RLIMIT_DATA</c> above the empty process).</summary>
    public required long MemoryByteCount { get; init; }
}
