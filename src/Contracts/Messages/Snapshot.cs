namespace Dunlin.Contracts.Messages;

/// <summary>In the reply to <c>snapshot</c>: what the camera sees.</summary>
public record Snapshot
{
    /// <summary>So that a reply stays below the 128 KiB that small brokers take, Base64 included.</summary>
    public const int MaximumImageByteCount = 90 * 1024;

    /// <summary>A JPEG, at most <see cref="MaximumImageByteCount"/>; smaller or coarser than the frame where that has more.</summary>
    public required ReadOnlyMemory<byte> Image { get; init; }

    /// <summary>The frame's number, as in a <see cref="Classification"/>.</summary>
    public required long Frame { get; init; }

    public required DateTimeOffset Captured { get; init; }

    /// <summary>Pixels of the frame, not of <see cref="Image"/>.</summary>
    public required int Width { get; init; }

    /// <summary>Pixels of the frame.</summary>
    public required int Height { get; init; }
}

/// <summary>
/// In the reply to <c>explain</c>: where the model that serves looks in a frame, by occlusion (Zeiler and Fergus 2014): what the
/// class's log-probability falls when a place is covered is what the place said for it.
/// </summary>
public sealed record Explanation : Snapshot
{
    /// <summary>Cells along each side of <see cref="Heat"/>, at most.</summary>
    public const int MaximumSide = 14;

    public required Artifacts.Digest Release { get; init; }
    public required string Variant { get; init; }

    /// <summary>The class that the model answers, and that is explained.</summary>
    public required Score Score { get; init; }

    /// <summary>What the model saw of the frame.</summary>
    public required FrameArea Area { get; init; }

    /// <summary>Cells of equal size along <see cref="Area"/>'s width.</summary>
    public required int Columns { get; init; }

    /// <summary>Cells along its height.</summary>
    public required int Rows { get; init; }

    /// <summary>Row by row from the top, from 0, where the heat is least, to 1.</summary>
    public required IReadOnlyList<double> Heat { get; init; }
}

/// <summary>A rectangle in shares of a frame's width and height, 0…1 from its upper left corner.</summary>
public sealed record FrameArea(double X, double Y, double Width, double Height);

/// <summary>In the reply to <c>log-level</c>.</summary>
/// <param name="Level">That holds from now on.</param>
/// <param name="Until">When the configured one holds again.</param>
public sealed record LogLevelChange(string Level, DateTimeOffset Until);
