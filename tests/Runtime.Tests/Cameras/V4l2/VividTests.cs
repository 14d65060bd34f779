using System.Diagnostics;
using System.Globalization;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Cameras.V4l2;
using Dunlin.Runtime.Frames;
using Dunlin.TestKit.Logs;

namespace Dunlin.Runtime.Tests.Cameras.V4l2;

/// <summary>Rows 35 and 36 of the safety promises with the kernel's own virtual camera, which fails when it is told to; in a virtual machine, since few have it.</summary>
public sealed class VividTests
{
    private const string Variable = "DUNLIN_CAMERA";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly string? Device = Environment.GetEnvironmentVariable(Variable);
    private readonly Lines<V4l2Camera> _log = new();

    public VividTests() => Assert.SkipWhen(Device is null, "Takes a virtual machine: run ./build.sh camera-test.");

    [Fact]
    public void FramesHaveTheFormThatWasAskedForAndTheDriversTime()
    {
        using var camera = Start();
        var (last, contents) = (0L, new HashSet<int>());
        for (var i = 0; i < 10; i++)
        {
            var frame = Take(camera);
            Assert.Equal((PixelFormat.Yuyv, 320, 180, 640, 320 * 180 * 2), (frame.Format, frame.Width, frame.Height, frame.Stride, frame.Length));
            Assert.InRange(frame.CapturedNanoseconds, last + 1, TimeProvider.System.GetTimestamp());
            last = frame.CapturedNanoseconds;
            contents.Add(HashOf(frame));
            camera.Slot.Return(frame);
        }

        Assert.InRange(TimeProvider.System.GetElapsedTime(last), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.True(contents.Count > 1, "The picture, with its running clock, never changed.");
        Assert.Equal("320x180 yuyv", camera.Health.Format);
        Assert.Equal(0, camera.Health.CorruptCount);
    }

    [Fact]
    public void AFrameThatIsReadStaysAsItIsWhileOthersCome()
    {
        using var camera = Start();
        for (var round = 0; round < 3; round++)
        {
            var frame = Take(camera);
            var hash = HashOf(frame);
            var before = camera.Slot.CapturedCount;
            Until(() => camera.Slot.CapturedCount > before + 10, "frames come while one is read");
            Assert.Equal(hash, HashOf(frame));
            camera.Slot.Return(frame);
        }

        Assert.Equal((0, 0), (camera.Health.ReconnectCount, camera.Health.CorruptCount));
    }

    [Fact]
    public void ADamagedFrameIsCorruptAndTheNextOneIsNot()
    {
        using var camera = Start();
        camera.Slot.Return(Take(camera));
        Set("inject_v4l2_buf_flag_error", 1);
        camera.Until(health => health.CorruptCount == 1);
        camera.Slot.Return(Take(camera));
        Assert.Equal(0, camera.Health.ReconnectCount);
    }

    [Fact]
    public void AStreamThatDoesNotStartIsSaidAndTriedAgain()
    {
        using (var earlier = Start()) earlier.Slot.Return(Take(earlier));
        Set("inject_vidioc_streamon_error", 1);
        using var camera = Start();
        camera.Slot.Return(Take(camera));
        Assert.Contains(_log.All, line => line.Contains("STREAMON", StringComparison.Ordinal));
    }

    [Fact]
    public void FramesThatTheDriverDropsAreCountedAsMissedAlsoWhereItsNumbersBeginAnew()
    {
        Set("percentage_of_dropped_buffers", 50);
        Set("wrap_sequence_number", 1);
        try
        {
            using var camera = Start();
            // The driver begins 128 before the last number that there is.
            Until(() => camera.Slot.CapturedCount + camera.Health.MissedCount > 200, "frames come or are missed");
            Assert.InRange((double)camera.Health.MissedCount / (camera.Slot.CapturedCount + camera.Health.MissedCount), 0.3, 0.7);
        }
        finally
        {
            Set("percentage_of_dropped_buffers", 0);
            Set("wrap_sequence_number", 0);
        }
    }

    [Fact]
    public void ACameraThatIsUnpluggedFiftyTimesIsBackWithinThreeSecondsEachTimeAndLeavesNothingOpen()
    {
        using (var camera = Start())
        {
            Until(() => camera.Slot.CapturedCount > 0, "frames come");
            var descriptors = Directory.GetFiles("/proc/self/fd").Length;
            for (var cycle = 1; cycle <= 50; cycle++)
            {
                Set("disconnect", 1);
                var (unplugged, before, reconnects) = (TimeProvider.System.GetTimestamp(), camera.Slot.CapturedCount, cycle);
                Until(() => camera.Health.ReconnectCount == reconnects && camera.Slot.CapturedCount > before, "it is opened again and delivers");
                Assert.InRange(TimeProvider.System.GetElapsedTime(unplugged), TimeSpan.Zero, TimeSpan.FromSeconds(3));
            }

            Assert.InRange(Directory.GetFiles("/proc/self/fd").Length, 0, descriptors + 5);
        }

        NothingIsOpen();
    }

    [Theory]
    [InlineData("inject_fatal_streaming_error")]
    [InlineData("disconnect")]
    public void ACameraThatBreaksOffIsOpenedAgainOnceItsLastFrameIsRead(string control)
    {
        using (var camera = Start())
        {
            var frame = Take(camera);
            var hash = HashOf(frame);
            Set(control, 1);
            camera.Until(health => health.State != "ok");
            Assert.Equal(hash, HashOf(frame));
            camera.Slot.Return(frame);
            camera.Until(health => health.State == "ok");
            var before = camera.Slot.CapturedCount;
            Until(() => camera.Slot.CapturedCount > before + 3, "frames come again");
            camera.Slot.Return(Take(camera));
        }

        NothingIsOpen();
    }

    private static void NothingIsOpen()
    {
        Assert.DoesNotContain(Device!, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        Assert.DoesNotContain(Device!, Directory.GetFiles("/proc/self/fd").Select(file => new FileInfo(file).LinkTarget));
    }

    private RunningCamera Start() => new(new V4l2Camera(
        new CameraSpec { Kind = CameraKind.V4l2, Source = Device!, Width = 320, Height = 180, FramesPerSecond = 15, StallMilliseconds = 5000 },
        new LinuxVideoSystem(), TimeProvider.System, _log));

    private static FrameBuffer Take(RunningCamera camera)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Patience);
        return camera.Slot.Take(deadline.Token)!;
    }

    private static int HashOf(FrameBuffer frame)
    {
        var hash = new HashCode();
        hash.AddBytes(frame.Content);
        return hash.ToHashCode();
    }

    private static void Until(Func<bool> condition, string what) => Assert.True(SpinWait.SpinUntil(condition, Patience), what);

    private static void Set(string control, int value)
    {
        using var program = Process.Start("v4l2-ctl", ["-d", Device!, "-c", string.Create(CultureInfo.InvariantCulture, $"{control}={value}")]);
        program.WaitForExit();
        Assert.Equal(0, program.ExitCode);
    }
}
