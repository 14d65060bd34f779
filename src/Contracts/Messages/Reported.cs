using System.Text.Json.Serialization;
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

    /// <summary>Why the worker ended last, in a sentence; null if none has.</summary>
    public string? WorkerRestartReason { get; init; }

    /// <summary>What ails the device now, each in a sentence; empty when nothing does.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}

public sealed record ReportedRelease(Digest Id, string Name, int Version, string Label, bool IsSigned);

/// <summary>Where the update stands, or how the last one ended.</summary>
/// <param name="State">Of the table of states.</param>
/// <param name="Directive">Digest of the directive's payload.</param>
/// <param name="Release">What the directive asks for.</param>
/// <param name="Reason">A code of <c>docs/operations.md</c>, for what ended otherwise than committed.</param>
public sealed record ReportedUpdate(UpdateState State, Digest? Directive = null, Digest? Release = null, string? Reason = null)
{
    /// <summary>What happens now, or why it ended and what to do, in a sentence.</summary>
    public string? Detail { get; init; }

    /// <summary>Share 0…1 of what the state takes: bytes fetched, time of the trial.</summary>
    public double? Progress { get; init; }

    /// <summary>What holds for a longer time and hinders updates.</summary>
    public IReadOnlyList<UpdateCondition>? Conditions { get; init; }

    /// <summary>Version of the trusted root; null on a device without one.</summary>
    public int? RootVersion { get; init; }

    /// <summary>The highest directive counter that the device has accepted.</summary>
    public long? Counter { get; init; }
}

public enum UpdateCondition
{
    /// <summary>The last fresh document has expired: the device may be cut off from newer directives, and installs nothing.</summary>
    [JsonStringEnumMemberName("STALE")] Stale = 1,

    /// <summary>The state folder takes no writes: what runs goes on, and nothing is installed.</summary>
    [JsonStringEnumMemberName("READ_ONLY")] ReadOnly = 2,
}

/// <summary>How the camera does: <see cref="Reported"/> counts since the agent started, what a worker says since that worker did.</summary>
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
