namespace Dunlin.Runtime.Preprocessing;

/// <summary>What the planes of a picture mean; says how they become the model's channels.</summary>
internal enum PixelLayout
{
    /// <summary>One plane of full-range luma.</summary>
    Gray = 1,

    /// <summary>Y, Cb, Cr of BT.601, full range (JPEG).</summary>
    FullRangeYuv = 2,

    /// <summary>Y, Cb, Cr of BT.601, limited range (cameras).</summary>
    LimitedRangeYuv = 3,

    /// <summary>R, G, B.</summary>
    Rgb = 4,
}
