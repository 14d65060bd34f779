namespace Dunlin.Runtime.Cameras.V4l2;

/// <summary>Asks a device what it can do, as far as we can read it (YUYV, MJPEG, JPEG).</summary>
internal static class CaptureOffers
{
    // A driver that never ends its list must not hang us.
    private const uint MostEntries = 256;

    /// <param name="device">An open capture device.</param>
    /// <param name="width">Pixels wanted, for devices that scale in steps.</param>
    /// <param name="height">Pixels wanted.</param>
    /// <param name="framesPerSecond">Wanted, for devices that offer any rate in a range.</param>
    /// <param name="others">The formats that it has and we cannot read.</param>
    public static List<CaptureMode> List(IVideoDevice device, int width, int height, double framesPerSecond, out List<string> others)
    {
        others = [];
        List<CaptureMode> offers = [];
        for (uint index = 0; index < MostEntries; index++)
        {
            var format = new VideoFormatDescription { Index = index, Type = VideoConstants.TypeVideoCapture };
            if (device.Control(VideoConstants.EnumerateFormats, ref format) != 0) break;
            if (format.PixelFormat is VideoConstants.Yuyv or VideoConstants.MotionJpeg or VideoConstants.Jpeg)
                AddSizes(device, format.PixelFormat, width, height, framesPerSecond, offers);
            else others.Add(VideoConstants.NameOf(format.PixelFormat));
        }

        return offers;
    }

    private static void AddSizes(IVideoDevice device, uint pixelFormat, int width, int height, double framesPerSecond, List<CaptureMode> offers)
    {
        for (uint index = 0; index < MostEntries; index++)
        {
            var size = new VideoFrameSize { Index = index, PixelFormat = pixelFormat };
            if (device.Control(VideoConstants.EnumerateFrameSizes, ref size) != 0)
            {
                // Without the list, S_FMT says what it is.
                if (index == 0) AddIntervals(device, pixelFormat, (uint)width, (uint)height, framesPerSecond, offers);
                return;
            }

            if (size.Type == VideoConstants.Discrete)
            {
                AddIntervals(device, pixelFormat, size.DiscreteWidth, size.DiscreteHeight, framesPerSecond, offers);
                continue;
            }

            AddIntervals(device, pixelFormat, Step(width, size.MinWidth, size.MaxWidth, size.StepWidth),
                Step(height, size.MinHeight, size.MaxHeight, size.StepHeight), framesPerSecond, offers);
            return;
        }
    }

    private static void AddIntervals(IVideoDevice device, uint pixelFormat, uint width, uint height, double framesPerSecond, List<CaptureMode> offers)
    {
        if (width is 0 or > ushort.MaxValue || height is 0 or > ushort.MaxValue) return;
        for (uint index = 0; index < MostEntries; index++)
        {
            var interval = new VideoFrameInterval { Index = index, PixelFormat = pixelFormat, Width = width, Height = height };
            if (device.Control(VideoConstants.EnumerateFrameIntervals, ref interval) != 0)
            {
                if (index == 0) offers.Add(new CaptureMode(pixelFormat, (int)width, (int)height, 0, 0));
                return;
            }

            var isDiscrete = interval.Type == VideoConstants.Discrete;
            var offered = isDiscrete ? interval.Discrete : Clamp(framesPerSecond, interval.Min, interval.Max);
            offers.Add(new CaptureMode(pixelFormat, (int)width, (int)height, offered.Numerator, offered.Denominator));
            if (!isDiscrete) return;
        }
    }

    private static uint Step(int wanted, uint min, uint max, uint step)
    {
        if (wanted <= min) return min;
        if (wanted >= max) return max;
        return min + ((uint)wanted - min) / Math.Max(step, 1) * Math.Max(step, 1);
    }

    private static VideoFraction Clamp(double framesPerSecond, VideoFraction min, VideoFraction max)
    {
        var wanted = new VideoFraction { Numerator = 1000, Denominator = (uint)Math.Clamp(Math.Round(framesPerSecond * 1000), 1, uint.MaxValue) };
        return IsLonger(min, wanted) ? min : IsLonger(wanted, max) ? max : wanted;
    }

    private static bool IsLonger(VideoFraction left, VideoFraction right) =>
        (ulong)left.Numerator * right.Denominator > (ulong)right.Numerator * left.Denominator;
}
