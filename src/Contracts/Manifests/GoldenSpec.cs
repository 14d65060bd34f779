using Dunlin.Contracts.Artifacts;

namespace Dunlin.Contracts.Manifests;

/// <summary>The labelled images that every variant must get right on the device before it is raced.</summary>
public sealed record GoldenSpec
{
    public const int MinimumSampleCount = 200;
    public const long MaximumByteCount = 16 * 1024 * 1024;

    public required Blob Blob { get; init; }

    /// <summary>Images in the set.</summary>
    public required int SampleCount { get; init; }
}
