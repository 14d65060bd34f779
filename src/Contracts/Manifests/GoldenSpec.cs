using Dunlin.Contracts.Artifacts;

namespace Dunlin.Contracts.Manifests;

/// <summary>
/// The labelled images that the device runs through each variant before it is raced, and the classes that the variant gave them
/// on the workstation: its agreement and its top-1 must not be worse than the manifest's floors.
/// </summary>
public sealed record GoldenSpec
{
    public const int MinimumSampleCount = 200;

    /// <summary>
    /// 64 MiB: the fewest samples of a usual 224 × 224 × 3 classifier have 30 MB, of 256 × 256 × 3 they have 39 MB. The limit is
    /// there so that a manifest cannot fill a device's disk or the memory of its heat.
    /// </summary>
    public const long MaximumByteCount = 64 * 1024 * 1024;

    public required Blob Blob { get; init; }

    /// <summary>Images in the set.</summary>
    public required int SampleCount { get; init; }
}
