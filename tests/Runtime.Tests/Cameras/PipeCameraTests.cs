using System.Globalization;
using System.IO.Pipes;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Cameras;
using Dunlin.TestKit.Logs;

namespace Dunlin.Runtime.Tests.Cameras;

public sealed class PipeCameraTests : IDisposable
{
    private static readonly byte[] First = TinyJpeg.Make(3000, seed: 1, thumbnail: TinyJpeg.Make(50, seed: 2));
    private static readonly byte[] Second = TinyJpeg.Make(200_000, seed: 3);
    private readonly AnonymousPipeServerStream _writer = new(PipeDirection.Out);
    private readonly Lines<PipeCamera> _log = new();

    // So large as the camera has it, also before that is there.
    public PipeCameraTests() => _ = LibC.Fcntl((int)_writer.SafePipeHandle.DangerousGetHandle(), LibC.SetPipeSize, 1 << 20);

    public void Dispose() => _writer.Dispose();

    [Fact]
    public void FramesComeOutWholeAndTheEndOfTheStreamEndsTheCamera()
    {
        using var camera = Start();
        foreach (var image in (byte[][])[First, Second, First])
        {
            _writer.Write(image);
            Assert.Equal(image, camera.Next());
        }

        _writer.Write(First.AsSpan(0, 1000));
        _writer.Dispose();
        Assert.Null(camera.Next());
        var health = camera.Health;
        Assert.Equal(("absent", 1, 0), (health.State, health.CorruptCount, health.StallCount));
        Assert.Contains("has ended", health.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void HalfAFrameOfADeadWriterCostsNothingOfTheNextWriter()
    {
        using var camera = Start();
        _writer.Write(Second.AsSpan(0, 150_000));
        _writer.Write(First);
        Assert.Equal(First, camera.Next());
        Assert.Equal(1, camera.Until(health => health.CorruptCount > 0).CorruptCount);
    }

    [Fact]
    public void SilenceIsAStallToldOnceAndFramesEndIt()
    {
        using var camera = Start(stall: 60);
        _writer.Write(First);
        Assert.Equal(First, camera.Next());
        // It may have stalled before the first frame already.
        var before = camera.Until(health => health.State == "stalled");
        // Bytes that make no frame do not end it.
        _writer.Write(Second.AsSpan(0, 100));
        _writer.Write(First);
        Assert.Equal(First, camera.Next());
        var health = camera.Until(health => health.State == "stalled" && health.StallCount == before.StallCount + 1);
        Assert.Equal((before.ReconnectCount + 1, 1), (health.ReconnectCount, health.CorruptCount));
        Assert.Contains("60 ms", health.Detail, StringComparison.Ordinal);
        // The log hears of it after the state.
        bool Told() => _log.All.Count(line => line.Contains("is stalled", StringComparison.Ordinal)) == health.StallCount;
        Assert.True(SpinWait.SpinUntil(Told, 10_000), "each stall is told once");
    }

    [Fact]
    public void AStreamThatNeverMakesAFrameStallsThoughBytesFlow()
    {
        using var camera = Start(stall: 60);
        while (camera.Health.State != "stalled") _writer.Write("no image here"u8);
        Assert.Equal(0, camera.Slot.CapturedCount);
    }

    [Fact]
    public void ADescriptorThatIsNoneIsSaid()
    {
        var camera = Camera.Open(new CameraSpec { Kind = CameraKind.Pipe, Source = "belt", Descriptor = 98765 }, TimeProvider.System, _log);
        using var running = new RunningCamera(camera);
        Assert.Null(running.Next());
        Assert.Equal("failed", running.Health.State);
        Assert.Throws<ArgumentException>(() => Camera.Open(new CameraSpec { Kind = CameraKind.Pipe, Source = "belt" }, TimeProvider.System, _log));
    }

    [Fact]
    public void WhatLayInThePipeBeforeIsNotTakenForNewAndWhatFollowsIsWhole()
    {
        _writer.Write(Second);
        _writer.Write(First);
        _writer.Write(Second.AsSpan(0, 100_000));
        using var camera = Start();
        _writer.Write(Second.AsSpan(100_000));
        _writer.Write(First);
        Assert.Equal(First, camera.Next());
        Assert.Equal((1, 0), (camera.Slot.CapturedCount, camera.Health.CorruptCount));
    }

    [Fact]
    public void OfAFilmThatIsNotRepeatedNothingIsLeftOut()
    {
        _writer.Write(Second);
        using var camera = Start(repeat: false);
        Assert.Equal(Second, camera.Next());
    }

    private RunningCamera Start(int stall = 60_000, bool repeat = true)
    {
        // Its first act is to empty the pipe; what is written before that would be taken out with it.
        if (repeat) _writer.Write("old"u8);
        var descriptor = int.Parse(_writer.GetClientHandleAsString(), CultureInfo.InvariantCulture);
        // The camera owns the read end now.
        _writer.ClientSafePipeHandle.SetHandleAsInvalid();
        var camera = new RunningCamera(Camera.Open(
            new CameraSpec { Kind = CameraKind.Pipe, Source = "belt", Descriptor = descriptor, StallMilliseconds = stall, Repeat = repeat }, TimeProvider.System, _log));
        Assert.True(!repeat || SpinWait.SpinUntil(() => LibC.ReadableByteCount((int)_writer.SafePipeHandle.DangerousGetHandle()) == 0, 20_000), "the pipe is emptied");
        return camera;
    }
}
