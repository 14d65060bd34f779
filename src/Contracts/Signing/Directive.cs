using System.Text.Json.Serialization;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Documents;
using Dunlin.Contracts.Race;

namespace Dunlin.Contracts.Signing;

/// <summary>Tells one device to run one release. Its identity is the digest of these bytes.</summary>
public sealed record Directive
{
    public const string CurrentSchema = "dunlin.directive.v1";

    /// <summary>Of the payload of a directive envelope.</summary>
    public static DocumentFormat<Directive> Format { get; } = new("directive", 256 * 1024, StrictJson.Default.Directive, DirectiveRules.Check);

    public required string Schema { get; init; }
    public required string Fleet { get; init; }
    public required string Device { get; init; }

    /// <summary>Rises with every directive for this device.</summary>
    public required long Counter { get; init; }

    /// <summary>Digest of the manifest.</summary>
    public required Digest Release { get; init; }

    /// <summary>
    /// The release's DSSE envelope, which holds the manifest's bytes too. Only a hint for fetching, with exact length
    /// and chunks; what counts is that its payload has the digest <see cref="Release"/> and is signed for releases.
    /// </summary>
    public required Blob Signature { get; init; }

    /// <summary>Where the artifacts are, best first; 1 to 3.</summary>
    public required IReadOnlyList<ArtifactSource> Sources { get; init; }

    public required DateTimeOffset Issued { get; init; }
    public required DateTimeOffset Expires { get; init; }
    public required DirectivePolicy Policy { get; init; }
}

public sealed record ArtifactSource
{
    public required SourceKind Kind { get; init; }

    /// <summary>
    /// For OCI <c>oci://host[:port]/repository</c>, for HTTP the <c>https://</c> URL of an OCI layout directory, null for
    /// MQTT. Blobs are asked for by digest, so no tag or index is trusted or needed.
    /// </summary>
    public string? Location { get; init; }
}

public enum SourceKind
{
    [JsonStringEnumMemberName("oci")] Oci = 1,
    [JsonStringEnumMemberName("http")] Http = 2,
    [JsonStringEnumMemberName("mqtt")] Mqtt = 3,
}

/// <summary>May tighten the device's own minima, never loosen them.</summary>
public sealed record DirectivePolicy
{
    /// <summary>A week.</summary>
    public const int MaximumTrialSeconds = 7 * 86_400;

    /// <summary>Seconds on the monotonic clock that a trial must stay healthy.</summary>
    public required int TrialSeconds { get; init; }

    /// <summary>Inferences that a trial must have made.</summary>
    public required int MinimumRuns { get; init; }

    /// <summary>Milliseconds from capture to result; null means: as the verdict promised.</summary>
    public double? MaximumP95Milliseconds { get; init; }

    /// <summary>What the race optimizes; null means: as the device is configured.</summary>
    public Objective? Objective { get; init; }
}
