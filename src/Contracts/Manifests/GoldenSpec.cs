using Dunlin.Contracts.Artifacts;

namespace Dunlin.Contracts.Manifests;

/// <summary>The labelled images that every variant must get right on the device before it is raced.</summary>
public sealed record GoldenSpec
{
    public const int MinimumSampleCount = 200;
    /// <summary>
    /// Bytes: room for the fewest samples of 3 × 256 × 256 pixels with some to spare. Below 30 MB no 224×224 classifier could have a golden set.
    /// </summary>
    public const long MaximumByteCount = 64 * 1024 * 1024;

    public required Blob Blob { get; init; }

    /// <summary>Images in the set.</summary>
    public required int SampleCount { get; init; }
}
