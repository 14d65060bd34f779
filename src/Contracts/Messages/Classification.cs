using Dunlin.Contracts.Artifacts;

namespace Dunlin.Contracts.Messages;

/// <summary>Topic <c>result</c>: what was seen in one frame.</summary>
public sealed record Classification
{
    public const string CurrentSchema = "dunlin.result.v1";

    public required string Schema { get; init; }
    public required string BootId { get; init; }
    public required long Sequence { get; init; }

    /// <summary>The camera's count of this frame.</summary>
    public required long Frame { get; init; }

    /// <summary>Wall time of the capture.</summary>
    public required DateTimeOffset Captured { get; init; }

    public required Digest Release { get; init; }
    public required string Variant { get; init; }

    /// <summary>Best first.</summary>
    public required IReadOnlyList<Score> Scores { get; init; }

    /// <summary>Capture to hand-over by the worker.</summary>
    public required double LatencyMilliseconds { get; init; }
}

/// <summary>One class with its probability, 0…1.</summary>
public sealed record Score(int Index, string Label, double Probability);
