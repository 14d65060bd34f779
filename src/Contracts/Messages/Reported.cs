using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Updates;

namespace Dunlin.Contracts.Messages;

/// <summary>Topic <c>reported</c>, retained: what runs here, and what was wanted.</summary>
public sealed record Reported
{
    public const string CurrentSchema = "dunlin.reported.v1";

    public required string Schema { get; init; }
    public required string BootId { get; init; }
    public required long Sequence { get; init; }
    public required DateTimeOffset Time { get; init; }

    /// <summary>Null while there is no bundle.</summary>
    public ReportedRelease? Release { get; init; }

    /// <summary>The verdict's winner; null while there is no verdict.</summary>
    public ContenderId? Wanted { get; init; }

    /// <summary>What really runs; null while nothing does.</summary>
    public ContenderId? Running { get; init; }

    /// <summary>Why it runs, or why nothing does, in a sentence.</summary>
    public required string Reason { get; init; }

    public required ReportedUpdate Update { get; init; }
    public required CameraHealth Camera { get; init; }

    /// <summary>Restarts of the worker since this start of the agent.</summary>
    public required int WorkerRestartCount { get; init; }

    /// <summary>What ails the device now, each in a sentence; empty when nothing does.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}

public sealed record ReportedRelease(Digest Id, string Name, int Version, string Label, bool IsSigned);

public sealed record ReportedUpdate(UpdateState State, Digest? Directive = null, Digest? Release = null, string? Reason = null);

/// <summary>How the camera does, counted since the agent started.</summary>
public sealed record CameraHealth
{
    public required string Camera { get; init; }

    /// <summary><c>ok</c>, <c>starting</c>, <c>stalled</c>, <c>absent</c>, <c>busy</c> or <c>failed</c>.</summary>
    public required string State { get; init; }

    /// <summary>What was negotiated, for example <c>640x480 mjpeg</c>; null while closed.</summary>
    public string? Format { get; init; }

    public double? ExpectedFramesPerSecond { get; init; }
    public double? ActualFramesPerSecond { get; init; }
    public required long StallCount { get; init; }
    public required long ReconnectCount { get; init; }
    public required long CorruptCount { get; init; }

    /// <summary>Frames that the driver dropped before they could be read: gaps in its sequence numbers.</summary>
    public long MissedCount { get; init; }

    /// <summary>Null while all is well, else the error with what to do about it.</summary>
    public string? Detail { get; init; }
}
