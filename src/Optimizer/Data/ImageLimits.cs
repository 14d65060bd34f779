using Dunlin.Runtime.Preprocessing;

namespace Dunlin.Optimizer.Data;

/// <summary>What images of a data set may be: larger than a camera's frames, since they are the user's own photographs, decoded on a workstation.</summary>
internal static class ImageLimits
{
    public static JpegLimits Jpeg { get; } = new() { MaximumPixelCount = 128L << 20, MaximumBufferedPixelCount = 64L << 20 };

    /// <summary>The share of images that may be unreadable before a result over the others is none.</summary>
    public const double UnreadableShare = 0.01;

    /// <summary>Images that a message names.</summary>
    public const int NamedCount = 5;
}
