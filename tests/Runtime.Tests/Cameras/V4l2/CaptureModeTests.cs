using Dunlin.Runtime.Cameras.V4l2;

namespace Dunlin.Runtime.Tests.Cameras.V4l2;

public sealed class CaptureModeTests
{
    /// <summary>As a common USB 2 camera offers them.</summary>
    private static readonly CaptureMode[] Webcam =
    [
        new(VideoConstants.MotionJpeg, 1920, 1080, 1, 30), new(VideoConstants.MotionJpeg, 1280, 720, 1, 30), new(VideoConstants.MotionJpeg, 640, 480, 1, 30),
        new(VideoConstants.Yuyv, 640, 480, 1, 30), new(VideoConstants.Yuyv, 640, 480, 1, 15), new(VideoConstants.Yuyv, 1280, 720, 1, 10), new(VideoConstants.Yuyv, 320, 240, 1, 30),
    ];

    [Theory]
    [InlineData(640, 480, 30, false, "YUYV 640x480 at 30")]
    [InlineData(640, 480, 10, false, "YUYV 640x480 at 15")]
    [InlineData(640, 480, 30, true, "MJPG 640x480 at 30")]
    [InlineData(1280, 720, 30, false, "MJPG 1280x720 at 30")]
    [InlineData(1280, 720, 10, false, "YUYV 1280x720 at 10")]
    [InlineData(600, 400, 30, false, "YUYV 640x480 at 30")]
    [InlineData(4000, 3000, 30, false, "MJPG 1920x1080 at 30")]
    [InlineData(224, 224, 60, false, "YUYV 320x240 at 30")]
    public void TheNearestSizeThenRateThenFormatIsChosen(int width, int height, double rate, bool isBandwidthShort, string expected)
    {
        var mode = CaptureMode.Choose(Webcam, width, height, rate, isBandwidthShort);
        Assert.Equal(expected, $"{VideoConstants.NameOf(mode.PixelFormat)} {mode.Width}x{mode.Height} at {mode.FramesPerSecond}");
    }

    [Fact]
    public void AnUnknownRateComesAfterOneThatSuffices()
    {
        var mode = CaptureMode.Choose([new(VideoConstants.Yuyv, 640, 480, 0, 0), new(VideoConstants.MotionJpeg, 640, 480, 1001, 30000)], 640, 480, 30, false);
        Assert.Equal(VideoConstants.MotionJpeg, mode.PixelFormat);
    }
}
