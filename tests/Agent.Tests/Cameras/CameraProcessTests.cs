using Dunlin.Agent.Cameras;
using Dunlin.Agent.Configuration;

namespace Dunlin.Agent.Tests.Cameras;

public sealed class CameraProcessTests
{
    [Theory]
    [InlineData("rtsp://viewer:s3cret@cam/belt")]
    [InlineData("http://viewer:s3cret@cam/belt?key=s3cret")]
    public void ThePasswordIsInNoArgumentAndNoLogLine(string source)
    {
        var command = For(source);
        Assert.DoesNotContain("s3cret", command.ToString(), StringComparison.Ordinal);
        Assert.Contains($"file '{source}'\n", command.StandardInput, StringComparison.Ordinal);
    }

    [Fact]
    public void AQuoteInAUrlCannotEndTheScriptsString() =>
        Assert.Contains(@"file 'http://cam/a'\''b'", For("http://cam/a'b").StandardInput, StringComparison.Ordinal);

    [Fact]
    public void RtspGoesOverTcpWithATimeout()
    {
        var command = For("rtsp://cam/belt", new CameraOptions { StallMilliseconds = 2500 });
        Assert.Contains("option rtsp_transport tcp\noption timeout 2500000\n", command.StandardInput, StringComparison.Ordinal);
        Assert.Contains("-fflags nobuffer -flags low_delay", command.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://cam/video.cgi", StreamEncoding.Auto, true)]
    [InlineData("http://cam/live.m3u8?session=1", StreamEncoding.Auto, false)]
    [InlineData("rtsp://cam/belt", StreamEncoding.Auto, false)]
    [InlineData("rtsp://cam/belt", StreamEncoding.MotionJpeg, true)]
    [InlineData("/srv/belt.mjpeg", StreamEncoding.Auto, true)]
    [InlineData("/srv/belt.mp4", StreamEncoding.Auto, false)]
    [InlineData("http://cam/video.cgi", StreamEncoding.Other, false)]
    public void MotionJpegIsCopiedAndEverythingElseEncoded(string source, StreamEncoding encoding, bool isCopied) =>
        Assert.Contains(isCopied ? "-c:v copy" : "-c:v mjpeg -q:v 3", For(source, new CameraOptions { Encoding = encoding }).ToString(), StringComparison.Ordinal);

    [Fact]
    public void ACsiCameraIsAskedForItsSizeAndRate() => Assert.Equal(
        "rpicam-vid --camera 1 --codec mjpeg --width 1280 --height 720 --framerate 12.5 --flush -t 0 -n -o -",
        For("rpicam:1", new CameraOptions { Width = 1280, Height = 720, FramesPerSecond = 12.5 }).ToString());

    [Theory]
    [InlineData("/srv/belt.mp4", true, false)]
    [InlineData("/srv/belt.mp4", false, true)]
    [InlineData("rtsp://cam/belt", false, false)]
    public void OnlyAFilmThatIsNotRepeatedEnds(string source, bool repeat, bool isFinite) =>
        Assert.Equal(isFinite, For(source, new CameraOptions { Repeat = repeat }).IsFinite);

    [Fact]
    public void TheWorkerOpensFoldersAndDevicesItself()
    {
        Assert.Null(CameraProcess.For(Sources.Of("/srv/images"), new CameraOptions()));
        Assert.Null(CameraProcess.For(Sources.Of("/dev/video0"), new CameraOptions()));
    }

    private static CameraProgram For(string source, CameraOptions? options = null) =>
        CameraProcess.For(Sources.Of(source), options ?? new CameraOptions())!;
}
