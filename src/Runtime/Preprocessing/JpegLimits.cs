namespace Dunlin.Runtime.Preprocessing;

/// <summary>How large a JPEG may claim to be; judged by its header before anything is decoded or allocated.</summary>
public sealed record JpegLimits
{
    public static JpegLimits Default { get; } = new();

    /// <summary>Width × height of a baseline image, which is decoded row by row.</summary>
    public long MaximumPixelCount { get; init; } = 4096L * 4096;

    /// <summary>
    /// Width × height of a progressive or multi-scan image: the decoder keeps all its coefficients, up to six bytes
    /// a pixel.
    /// </summary>
    public long MaximumBufferedPixelCount { get; init; } = 2048L * 2048;

    /// <summary>The limit that holds for an image.</summary>
    public long PixelCountOf(JpegHeader header) => header.Buffered ? MaximumBufferedPixelCount : MaximumPixelCount;
}
