namespace Dunlin.Runtime.Cameras.V4l2;

/// <summary>One thing that a device offers. An interval of 0/0 is unknown.</summary>
internal readonly record struct CaptureMode(uint PixelFormat, int Width, int Height, uint IntervalNumerator, uint IntervalDenominator)
{
    /// <summary>Null when unknown.</summary>
    public double? FramesPerSecond => IntervalNumerator > 0 && IntervalDenominator > 0 ? (double)IntervalDenominator / IntervalNumerator : null;

    /// <summary>
    /// The offer nearest to what was asked: first by size (the smallest that covers it, else the largest), then by rate
    /// (the slowest that suffices, else the fastest), then YUYV before JPEG, since it costs an eighth of the time to convert.
    /// </summary>
    public static CaptureMode Choose(IReadOnlyList<CaptureMode> offers, int width, int height, double framesPerSecond, bool isBandwidthShort)
    {
        var compressed = isBandwidthShort ? offers.Where(offer => offer.PixelFormat != VideoConstants.Yuyv).ToList() : [];
        return (compressed.Count > 0 ? compressed : offers)
            .OrderBy(offer => offer.Width >= width && offer.Height >= height ? 0 : 1)
            .ThenBy(offer => Math.Abs((long)offer.Width * offer.Height - (long)width * height))
            .ThenBy(offer => Shortfall(offer, framesPerSecond))
            .ThenBy(offer => offer.PixelFormat == VideoConstants.Yuyv ? 0 : 1)
            .ThenBy(offer => offer.FramesPerSecond ?? framesPerSecond)
            .First();
    }

    private static double Shortfall(CaptureMode offer, double framesPerSecond) =>
        // A camera asked for 30 may offer 29.97; an unknown rate comes after one that suffices.
        offer.FramesPerSecond is not { } rate ? 0.001 : rate >= framesPerSecond * 0.99 ? 0 : framesPerSecond - rate;
}
