using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;

namespace Dunlin.Contracts.Messages;

/// <summary>Topic <c>outcome</c>: how a directive ended. Its key is the directive's digest.</summary>
public sealed record Outcome
{
    public const string CurrentSchema = "dunlin.outcome.v1";

    public required string Schema { get; init; }
    public required string BootId { get; init; }
    public required long Sequence { get; init; }
    public required DateTimeOffset Time { get; init; }
    public required Digest Directive { get; init; }
    public required Digest Release { get; init; }

    /// <summary>Committed, rejected, rolled back or cancelled.</summary>
    public required UpdateState Result { get; init; }

    /// <summary>A code of <c>docs/operations.md</c>; null when committed.</summary>
    public string? Reason { get; init; }

    public string? Detail { get; init; }
}

/// <summary>The member of an <see cref="Outcome"/> that each version has.</summary>
public sealed record OutcomeKey
{
    /// <inheritdoc cref="Outcome.Directive"/>
    public required Digest Directive { get; init; }
}
