using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Cameras;
using Dunlin.Runtime.Cameras.V4l2;
using Dunlin.Runtime.Frames;
using Dunlin.TestKit.Logs;

namespace Dunlin.Runtime.Tests.Cameras.V4l2;

public sealed class V4l2CameraTests
{
    private static readonly byte[] Picture = [.. Enumerable.Range(1, 16).Select(value => (byte)value)];
    private static readonly byte[] Other = [.. Picture.Select(value => (byte)(value + 100))];
    private readonly ScriptedVideo _video = new();
    private readonly Lines<V4l2Camera> _log = new();

    [Fact]
    public void AFrameHasTheNegotiatedFormTheUsedBytesAndTheDriversTime()
    {
        var captured = TimeProvider.System.GetTimestamp() - 5_000_000;
        captured -= captured % 1000;
        using var camera = Start();
        _video.Deliver(new(Picture, 0, VideoConstants.TimestampMonotonic, captured));
        var frame = camera.Slot.Take(TestContext.Current.CancellationToken)!;
        Assert.Equal(Picture, frame.Content.ToArray());
        Assert.Equal((PixelFormat.Yuyv, 4, 2, 8), (frame.Format, frame.Width, frame.Height, frame.Stride));
        Assert.Equal((captured, 0), (frame.CapturedNanoseconds, frame.Number));
        var health = camera.Until(health => health.State == "ok");
        Assert.Equal(("4x2 yuyv", 30), (health.Format, health.ExpectedFramesPerSecond));
    }

    [Fact]
    public void AFrameThatIsReadStaysAsItIsAndGivesItsBufferBackAfterwards()
    {
        using var camera = Start();
        _video.Deliver(new(Picture, 0));
        var read = camera.Slot.Take(TestContext.Current.CancellationToken)!;
        for (var sequence = 1u; sequence <= 20; sequence++) _video.Deliver(new(Other, sequence));
        Assert.True(SpinWait.SpinUntil(() => camera.Slot.CapturedCount == 21, 10_000));
        Assert.Equal(Picture, read.Content.ToArray());
        Assert.Equal(2, _video.HeldCount);
        camera.Slot.Return(read);
        Assert.Equal(1, _video.HeldCount);
        Assert.Equal(Other, camera.Next());
        Assert.Equal(0, _video.HeldCount);
    }

    [Fact]
    public void AFrameThatIsReadWhileTheCameraGoesAwayIsUnmappedAfterwards()
    {
        using var camera = Start();
        _video.Deliver(new(Picture, 0));
        var read = camera.Slot.Take(TestContext.Current.CancellationToken)!;
        _video.Deliver(new([], 0, Error: Errno.NoDevice));
        Assert.True(SpinWait.SpinUntil(() => _video.ClosedCount == 1, 10_000));
        Assert.Equal(Picture, read.Content.ToArray());
        Assert.Equal(1, _video.MappedCount);
        camera.Slot.Return(read);
        Assert.Equal(0, _video.MappedCount);
        _video.Deliver(new(Other, 0));
        Assert.Equal(Other, camera.Next());
    }

    [Fact]
    public void AFrameThatNobodyTookDoesNotKeepTheDeviceTaken()
    {
        using var camera = Start();
        _video.Deliver(new(Picture, 0));
        Assert.True(SpinWait.SpinUntil(() => camera.Slot.CapturedCount == 1, 10_000));
        _video.Deliver(new([], 0, Error: Errno.NoDevice));
        _video.Deliver(new(Other, 0));
        Assert.True(SpinWait.SpinUntil(() => camera.Slot.CapturedCount == 2, 10_000));
        Assert.Equal(Other, camera.Next());
        Assert.DoesNotContain(_log.All, line => line.Contains("another program", StringComparison.Ordinal));
    }

    [Fact]
    public void ADriverWithFewBuffersHasThemBackAtOnce()
    {
        _video.MostBuffers = 3;
        using var camera = Start();
        _video.Deliver(new(Picture, 0));
        var read = camera.Slot.Take(TestContext.Current.CancellationToken)!;
        _video.Deliver(new(Other, 1));
        Assert.True(SpinWait.SpinUntil(() => camera.Slot.CapturedCount == 2, 10_000));
        Assert.Equal(0, _video.HeldCount);
        Assert.Equal(Picture, read.Content.ToArray());
        camera.Slot.Return(read);
        Assert.Equal(Other, camera.Next());
    }

    [Fact]
    public void DamagedEmptyOverlongAndIncompleteFramesAreCorruptAndTheirBuffersGoBack()
    {
        using var camera = Start();
        _video.Deliver(new(Picture, 0, VideoConstants.BufferError));
        _video.Deliver(new(Picture, 1, BytesUsed: 0));
        _video.Deliver(new(Picture, 2, BytesUsed: 5000));
        _video.Deliver(new(Picture[..15], 3));
        _video.Deliver(new(Picture, 4, Error: Errno.InputOutput));
        _video.Deliver(new(Picture, 4));
        Assert.Equal(Picture, camera.Next());
        Assert.Equal((5, 0), (camera.Health.CorruptCount, camera.Health.MissedCount));
        Assert.Equal(0, _video.HeldCount);
        Assert.Single(_log.All, line => line.Contains("corrupt", StringComparison.Ordinal));
    }

    [Fact]
    public void GapsInTheSequenceAreFramesTheDriverDropped()
    {
        using var camera = Start();
        foreach (var sequence in (uint[])[7, 8, 12, 13, 0, 1]) _video.Deliver(new(Picture, sequence));
        Assert.True(SpinWait.SpinUntil(() => camera.Slot.CapturedCount == 6, 10_000));
        Assert.Equal(3, camera.Health.MissedCount);
    }

    [Fact]
    public void MotionJpegFramesAreTakenByTheirMagic()
    {
        _video.Modes.Clear();
        _video.Modes.Add((VideoConstants.MotionJpeg, 640, 480, 30));
        var image = TinyJpeg.Make(500, seed: 1);
        using var camera = Start();
        _video.Deliver(new([0, .. image], 0));
        _video.Deliver(new(image, 1));
        Assert.Equal(image, camera.Next());
        Assert.Equal(("640x480 mjpeg", 1), (camera.Health.Format, camera.Health.CorruptCount));
    }

    [Theory]
    [InlineData(Errno.NoEntry, "absent", "plug the camera in")]
    [InlineData(Errno.AccessDenied, "failed", "group video")]
    [InlineData(Errno.NotPermitted, "failed", "systemctl restart dunlin-agent")]
    [InlineData(Errno.Busy, "busy", "another program")]
    public void WhyTheDeviceDoesNotOpenIsSaidOnceWithWhatToDo(int error, string state, string advice)
    {
        _video.FailOpen(error, error, error);
        using var camera = Start();
        Assert.Contains(advice, camera.Until(health => health.State == state).Detail, StringComparison.Ordinal);
        _video.Deliver(new(Picture, 0));
        Assert.Equal(Picture, camera.Next());
        Assert.Single(_log.All, line => line.Contains(advice, StringComparison.Ordinal));
        Assert.Equal("ok", camera.Until(health => health.State == "ok").State);
    }

    [Theory]
    [InlineData(VideoConstants.StreamOn, Errno.NoSpace, "failed", "USB bus has no bandwidth")]
    [InlineData(VideoConstants.RequestBuffers, Errno.Busy, "busy", "another program")]
    [InlineData(VideoConstants.SetFormat, Errno.Busy, "busy", "another program")]
    [InlineData(VideoConstants.QueryCapability, Errno.NotTypewriter, "failed", "no V4L2 video device")]
    [InlineData(VideoConstants.EnumerateFormats, Errno.InvalidArgument, "failed", "no format")]
    public void AFailingCallIsExplainedAndNothingStaysOpen(uint request, int error, string state, string advice)
    {
        _video.Errors[request] = error;
        using (var camera = Start())
            Assert.Contains(advice, camera.Until(health => health.State == state).Detail, StringComparison.Ordinal);
        Assert.Equal(_video.OpenedCount, _video.ClosedCount);
    }

    [Fact]
    public void WithoutBandwidthForYuyvTheCompressedFormatIsTried()
    {
        _video.Modes.Add((VideoConstants.MotionJpeg, 4, 2, 30));
        _video.Errors[VideoConstants.StreamOn] = Errno.NoSpace;
        using var camera = Start();
        camera.Until(health => health.State == "failed");
        Assert.True(SpinWait.SpinUntil(() => _video.Asked.PixelFormat == VideoConstants.MotionJpeg, 10_000));
    }

    [Fact]
    public void WithoutBandwidthForAnyFormatThatIsSaidOnce()
    {
        _video.Modes.Add((VideoConstants.MotionJpeg, 4, 2, 30));
        _video.Errors[VideoConstants.StreamOn] = Errno.NoSpace;
        using (var camera = Start(time: new TestTime(haste: 1000)))
            Assert.True(SpinWait.SpinUntil(() => _video.OpenedCount >= 6, 10_000));
        Assert.Contains("no bandwidth left", Assert.Single(_log.All), StringComparison.Ordinal);
    }

    [Fact]
    public void ACameraThatDiesAfterEachFirstFrameIsOpenedLessOftenUntilItLasts()
    {
        var time = new TestTime(haste: 1000);
        using var camera = Start(time: time);
        for (var cycle = 0; cycle < 6; cycle++) DeliverAndDie();
        // Not so seldom that a camera with a bad plug is away for long.
        Assert.InRange(time.Waits.Last(), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));

        _video.Deliver(new(Picture, 0));
        Assert.Equal(Picture, camera.Next());
        time.Hurry(TimeSpan.FromSeconds(5));
        DeliverAndDie();
        Assert.InRange(time.Waits.Last(), TimeSpan.Zero, TimeSpan.FromSeconds(0.25));

        void DeliverAndDie()
        {
            var waits = time.Waits.Count;
            _video.Deliver(new(Picture, 0));
            Assert.Equal(Picture, camera.Next());
            _video.Deliver(new([], 0, Error: Errno.NoDevice));
            Assert.True(SpinWait.SpinUntil(() => time.Waits.Count > waits, 10_000));
        }
    }

    [Fact]
    public void ANodeThatCapturesNothingIsNamedSo()
    {
        _video.Capabilities = VideoConstants.CapabilityStreaming;
        using var camera = Start();
        Assert.Contains("captures no video", camera.Until(health => health.State == "failed").Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatTheDriverAnswersCounts()
    {
        _video.AnswerFormat = format => format with { Width = 2, Height = 4, BytesPerLine = 4 };
        using var camera = Start();
        _video.Deliver(new(Picture, 0));
        Assert.Equal(Picture, camera.Next());
        Assert.Equal("2x4 yuyv", camera.Health.Format);
    }

    [Fact]
    public void ADriverThatSwitchesToAnotherFormatIsRefused()
    {
        _video.AnswerFormat = format => format with { PixelFormat = 0x3231564E };
        using var camera = Start();
        Assert.Contains("switched to NV12", camera.Until(health => health.State == "failed").Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2u, "top fields only")]
    [InlineData(3u, "bottom fields only")]
    [InlineData(5u, "one field above the other")]
    [InlineData(6u, "one field above the other")]
    [InlineData(7u, "alternate")]
    [InlineData(17u, "field order 17")]
    public void FieldsThatAreNoWholePictureAreRefusedWithWhatToDo(uint field, string order)
    {
        _video.AnswerFormat = format => format with { Field = field };
        using (var camera = Start())
        {
            _video.Deliver(new(Picture, 0));
            var detail = camera.Until(health => health.State is "failed" or "ok").Detail;
            Assert.Contains(order, detail, StringComparison.Ordinal);
            Assert.Contains("Camera:Source", detail, StringComparison.Ordinal);
        }

        Assert.Equal(VideoConstants.FieldNone, _video.Asked.Field);
        Assert.Equal(_video.OpenedCount, _video.ClosedCount);
    }

    [Theory]
    [InlineData(0u, 0)]
    [InlineData(1u, 0)]
    [InlineData(4u, 1)]
    [InlineData(8u, 1)]
    [InlineData(9u, 1)]
    public void AWholePictureIsTakenAndIfItIsInterlacedThatIsSaidOnce(uint field, int times)
    {
        _video.AnswerFormat = format => format with { Field = field };
        using var camera = Start();
        _video.Deliver(new(Picture, 0));
        Assert.Equal(Picture, camera.Next());
        _video.Deliver(new([], 0, Error: Errno.NoDevice));
        _video.Deliver(new(Other, 0));
        Assert.Equal(Other, camera.Next());
        Assert.Equal(times, _log.All.Count(line => line.Contains("interlaced", StringComparison.Ordinal)));
    }

    [Fact]
    public void AStallReopensTheDeviceAndFramesBringItBack()
    {
        using var camera = Start(stall: 50);
        _video.Deliver(new(Picture, 0));
        Assert.Equal(Picture, camera.Next());
        // It may have stalled before the first frame already.
        var (before, opened) = (camera.Health, _video.OpenedCount);
        camera.Until(health => health.StallCount > before.StallCount);
        Assert.True(SpinWait.SpinUntil(() => _video.OpenedCount > opened, 10_000));
        _video.Deliver(new(Picture, 0));
        Assert.Equal(Picture, camera.Next());
        camera.Until(health => health.ReconnectCount == before.ReconnectCount + 1);
        Assert.Equal(0, camera.Health.MissedCount);
    }

    [Fact]
    public void AnUnpluggedCameraIsAbsentAndComesBackFiftyTimesWithoutALeak()
    {
        var time = new TestTime(haste: 1000);
        using (var camera = Start(time: time))
        {
            for (var cycle = 0; cycle < 50; cycle++)
            {
                _video.Deliver(new(Picture, 0));
                Assert.Equal(Picture, camera.Next());
                _video.FailOpen(Errno.NoEntry);
                _video.Deliver(new([], 0, Error: Errno.NoDevice));
                var reconnects = cycle;
                camera.Until(health => health.ReconnectCount == reconnects && health.State is "absent" or "ok");
            }
        }

        Assert.InRange(_video.OpenedCount, 50, 51);
        Assert.Equal(_video.OpenedCount, _video.ClosedCount);
        Assert.Equal(0, _video.MappedCount);
    }

    [Fact]
    public void ARealFileThatIsNoDeviceIsSaidAndNoDescriptorLeaks()
    {
        var file = Path.GetTempFileName();
        try
        {
            var before = Directory.GetFiles("/proc/self/fd").Length;
            for (var round = 0; round < 50; round++)
            {
                var session = CaptureSession.Start(new LinuxVideoSystem(), Spec(file, 1000), false, out var fault, out _);
                Assert.Null(session);
                Assert.Contains("is no V4L2 video device", fault!.Detail, StringComparison.Ordinal);
            }

            Assert.InRange(Directory.GetFiles("/proc/self/fd").Length, 0, before + 20);
            _ = CaptureSession.Start(new LinuxVideoSystem(), Spec("/dev/video-none", 1000), false, out var absent, out _);
            Assert.Equal("absent", absent!.State);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private RunningCamera Start(int stall = 60_000, TimeProvider? time = null) =>
        new(new V4l2Camera(Spec("/dev/video7", stall), _video, time ?? TimeProvider.System, _log));

    private static CameraSpec Spec(string source, int stall) =>
        new() { Kind = CameraKind.V4l2, Source = source, Width = 4, Height = 2, StallMilliseconds = stall };
}
