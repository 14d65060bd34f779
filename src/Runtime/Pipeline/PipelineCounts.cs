namespace Dunlin.Runtime.Pipeline;

/// <summary>What became of the frames since the pipeline began; only ever rising.</summary>
/// <param name="Captured">Published by the camera.</param>
/// <param name="Dropped">Replaced in the slot by a newer frame.</param>
/// <param name="Stale">Older than the deadline when their turn came.</param>
/// <param name="Late">Classified, and older than the deadline by then.</param>
/// <param name="Corrupt">Refused by the preprocessing.</param>
/// <param name="NonFinite">Run, but with scores that are not finite; not handed on.</param>
/// <param name="Classified">Handed to the observer.</param>
/// <param name="AllocatedByteCount">Bytes allocated by the pipeline's threads, the observer's included, the swaps' not.</param>
public readonly record struct PipelineCounts(
    long Captured, long Dropped, long Stale, long Late, long Corrupt, long NonFinite, long Classified, long AllocatedByteCount);
