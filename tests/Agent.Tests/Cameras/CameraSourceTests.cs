using Dunlin.Agent.Cameras;
using Dunlin.Agent.Configuration;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Tests.Cameras;

public sealed class CameraSourceTests
{
    [Theory]
    [InlineData("/var/lib/images", CameraSourceKind.Folder)]
    [InlineData("/dev/video0", CameraSourceKind.VideoDevice)]
    [InlineData("/dev/v4l/by-id/usb-046d_C920-video-index0", CameraSourceKind.VideoDevice)]
    [InlineData("rtsp://10.0.0.7/stream1", CameraSourceKind.Rtsp)]
    [InlineData("rtsps://user:pw@cam.local:322/a?channel=1", CameraSourceKind.Rtsp)]
    [InlineData("http://cam.local/video.cgi", CameraSourceKind.Http)]
    [InlineData("https://cam.local/live", CameraSourceKind.Http)]
    [InlineData("/srv/belt.MP4", CameraSourceKind.VideoFile)]
    [InlineData("rpicam:", CameraSourceKind.Csi)]
    [InlineData("csi:1", CameraSourceKind.Csi)]
    public void TheKindFollowsFromTheText(string text, CameraSourceKind kind) => Assert.Equal(kind, Sources.Of(text).Kind);

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("rtsp://a\nfile 'b'", "control characters")]
    [InlineData("rtsp://", "no valid URL")]
    [InlineData("rtsp://user:s3cret@ho st/x", "no valid URL")]
    [InlineData("ftp://user:s3cret@host/x", "scheme 'ftp'")]
    [InlineData("rpicam:front", "camera number 'front'")]
    [InlineData("/dev/sda", "no video device")]
    [InlineData("/srv/a.jpg", "name the folder")]
    public void WhatIsWrongIsSaidWithoutThePassword(string text, string reason)
    {
        Assert.False(CameraSource.TryParse(text, out _, out var error));
        Assert.Contains(reason, error, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error, StringComparison.Ordinal);
    }

    [Fact]
    public void TheWorkerIsToldWhatToOpenAndNeverThePassword()
    {
        var options = new CameraOptions { Width = 320, Height = 240, FramesPerSecond = 5, StallMilliseconds = 900 };
        var piped = Sources.Of("rtsp://viewer:s3cret@cam/belt?token=abc").ToSpec(options, 7);
        Assert.Equal((CameraKind.Pipe, "rtsp://***@cam/belt?***", 7, 900), (piped.Kind, piped.Source, piped.Descriptor, piped.StallMilliseconds));
        var device = Sources.Of("/dev/video2").ToSpec(options, null);
        Assert.Equal((CameraKind.V4l2, "/dev/video2", 320, 240, 5), (device.Kind, device.Source, device.Width, device.Height, device.FramesPerSecond));
        Assert.Throws<ArgumentException>(() => Sources.Of("/srv/images").ToSpec(options, 7));
    }

    [Theory]
    [InlineData("rtsp://viewer:s3cret@10.0.0.7:554/belt: 401", "rtsp://***@10.0.0.7:554/belt: 401")]
    [InlineData("Impossible to open 'http://a:b'c@h/x?token=t', giving up on https://u@h/", "Impossible to open 'http://***@h/x?*** giving up on https://***@h/")]
    [InlineData("rtsp://u:p@ss@host/", "rtsp://***@host/")]
    [InlineData("rtsp://host/plain and nothing else", "rtsp://host/plain and nothing else")]
    [InlineData("no URL at all: a@b?c", "no URL at all: a@b?c")]
    public void UsersPasswordsAndQueriesAreHidden(string text, string expected) => Assert.Equal(expected, UrlRedaction.Redact(text));
}
