using System.Text.Json.Serialization;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;

namespace Dunlin.Contracts.Worker;

/// <summary>What a child says to the supervisor. Untrusted: bounded, parsed strictly, never believed about anything but itself.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization)]
[JsonDerivedType(typeof(Ready), "ready")]
[JsonDerivedType(typeof(Loaded), "loaded")]
[JsonDerivedType(typeof(FrameResult), "result")]
[JsonDerivedType(typeof(FrameWindow), "window")]
[JsonDerivedType(typeof(ModelChecked), "checked")]
[JsonDerivedType(typeof(Prepared), "prepared")]
[JsonDerivedType(typeof(GoldenVerdict), "golden")]
[JsonDerivedType(typeof(HeatVerdict), "verdict")]
[JsonDerivedType(typeof(Classified), "classified")]
[JsonDerivedType(typeof(FrameSnapshot), "snapshot")]
[JsonDerivedType(typeof(FrameExplained), "explained")]
[JsonDerivedType(typeof(Heartbeat), "heartbeat")]
[JsonDerivedType(typeof(CameraState), "camera")]
[JsonDerivedType(typeof(ChildError), "error")]
public abstract record FromChild;

/// <summary>First message: sandboxed and listening.</summary>
public sealed record Ready : FromChild
{
    public required int Protocol { get; init; }

    /// <summary>What the kernel lacks of the sandbox, each in a sentence; empty when all of it holds.</summary>
    public required IReadOnlyList<string> MissingSandbox { get; init; }

    /// <summary>Of the library that was loaded; empty if none was.</summary>
    public required string OnnxRuntimeVersion { get; init; }
}

/// <summary>The session of <see cref="Load"/> or <see cref="Swap"/> serves from the next frame on.</summary>
public sealed record Loaded : FromChild
{
    public required ContenderId Contender { get; init; }
    public required double LoadMilliseconds { get; init; }
}

public sealed record FrameResult : FromChild
{
    public required long Frame { get; init; }

    /// <summary><see cref="SessionSpec.Number"/> of the session that classified it.</summary>
    public int Session { get; init; }

    /// <summary>CLOCK_MONOTONIC nanoseconds.</summary>
    public required long CapturedNanoseconds { get; init; }

    public required double LatencyMilliseconds { get; init; }

    /// <summary>Pairs of class index and probability, best first.</summary>
    public required IReadOnlyList<ClassScore> Scores { get; init; }
}

public readonly record struct ClassScore(int Index, float Probability)
{
    /// <summary>Whether it lies in 0…1, as far as rounding lets it.</summary>
    public static bool IsProbability(float score) => score is >= 0 and <= 1.0001f;
}

/// <summary>One window of the frame loop; the supervisor adds energy, heat and memory and publishes it.</summary>
public sealed record FrameWindow : FromChild
{
    /// <summary>Bins of <see cref="Confidence"/>, each a tenth of 0…1.</summary>
    public const int ConfidenceBinCount = 10;

    public required double WindowSeconds { get; init; }

    /// <summary><see cref="SessionSpec.Number"/> of the one session whose results it counts: a swap ends the window.</summary>
    public int Session { get; init; }

    public required FrameCounts Frames { get; init; }
    public required Histogram Latency { get; init; }
    public required IReadOnlyDictionary<string, Histogram> Stages { get; init; }

    /// <summary>Results by class index.</summary>
    public required IReadOnlyDictionary<int, long> Classes { get; init; }

    /// <summary>Results by the probability of their best class.</summary>
    public required IReadOnlyList<long> Confidence { get; init; }

    public required CameraHealth Camera { get; init; }

    /// <summary>Why the corrupt ones of <see cref="Frames"/> were, and what to do, each reason once; for people.</summary>
    public IReadOnlyList<string> Refusals { get; init; } = [];

    /// <summary>Results whose scores were not finite.</summary>
    public required long NonFiniteCount { get; init; }

    public required double CpuSeconds { get; init; }

    /// <summary>Bytes allocated by the frame loop's threads in this window.</summary>
    public required long AllocatedByteCount { get; init; }
}

/// <summary>The model keeps all rules of the static check; one that does not is a <see cref="ChildError"/> with a <c>check.…</c> code.</summary>
public sealed record ModelChecked : FromChild
{
    public required int NodeCount { get; init; }

    /// <summary>Initializers and tensors in attributes.</summary>
    public required int TensorCount { get; init; }

    /// <summary>Bytes of all tensors.</summary>
    public required long WeightByteCount { get; init; }
}

public sealed record Prepared : FromChild
{
    public required double LoadMilliseconds { get; init; }
    public required long MemoryByteCount { get; init; }
}

public sealed record GoldenVerdict : FromChild
{
    public required GoldenResult Result { get; init; }
}

/// <summary>How a heat ended; the contenders in the order asked.</summary>
public sealed record HeatVerdict : FromChild
{
    public required IReadOnlyList<ContenderVerdict> Contenders { get; init; }
    public ContenderId? Winner { get; init; }
    public required string Reason { get; init; }

    /// <summary>Of a heat for a meter: when its runs were.</summary>
    public RunSpan? Ran { get; init; }
}

/// <summary>From the begin of the first run to the end of the last, in CLOCK_MONOTONIC nanoseconds.</summary>
public sealed record RunSpan(long BeginNanoseconds, long EndNanoseconds);

public sealed record Classified : FromChild
{
    public required IReadOnlyList<ClassifiedImage> Images { get; init; }
}

public sealed record ClassifiedImage
{
    public required string Image { get; init; }

    /// <summary>Empty when <see cref="Error"/> is set.</summary>
    public required IReadOnlyList<ClassScore> Scores { get; init; }

    public double LatencyMilliseconds { get; init; }
    public string? Error { get; init; }
}

/// <summary>The answer to <see cref="TakeSnapshot"/>, as soon as there is a frame.</summary>
public sealed record FrameSnapshot : FromChild
{
    /// <summary>A JPEG of at most <see cref="Snapshot.MaximumImageByteCount"/>; empty when <see cref="Problem"/> is set.</summary>
    public required ReadOnlyMemory<byte> Image { get; init; }

    public required long Frame { get; init; }

    /// <summary>CLOCK_MONOTONIC nanoseconds.</summary>
    public required long CapturedNanoseconds { get; init; }

    /// <summary>Pixels of the frame.</summary>
    public required int Width { get; init; }

    public required int Height { get; init; }

    public string? Problem { get; init; }
}

/// <summary>The answer to <see cref="ExplainFrame"/>; as in <see cref="Explanation"/>.</summary>
public sealed record FrameExplained : FromChild
{
    public required ClassScore Score { get; init; }
    public required FrameArea Area { get; init; }
    public required int Columns { get; init; }
    public required int Rows { get; init; }
    public required IReadOnlyList<double> Heat { get; init; }
}

/// <summary>Each second while the loops tick.</summary>
public sealed record Heartbeat : FromChild
{
    /// <summary>Frames classified since the start.</summary>
    public required long Classified { get; init; }
}

public sealed record CameraState : FromChild
{
    public required CameraHealth Camera { get; init; }
}

/// <summary>The child cannot go on, or could not do what was asked.</summary>
public sealed record ChildError : FromChild
{
    /// <summary>A code, for example <c>model.load</c>, <c>model.input</c>, <c>golden.unreadable</c>, <c>protocol</c>.</summary>
    public required string Code { get; init; }

    public required string Detail { get; init; }
}
