using Dunlin.Contracts.Messages;
using Dunlin.Runtime.Cameras;
using Dunlin.Runtime.Frames;

namespace Dunlin.Runtime.Tests.Cameras;

/// <summary>A camera on its own thread, stopped and disposed at the end.</summary>
internal sealed class RunningCamera : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly CancellationTokenSource _stop = new();
    private readonly ICamera _camera;
    private readonly Thread _thread;

    public RunningCamera(ICamera camera)
    {
        _camera = camera;
        _thread = new Thread(() => camera.Run(Slot, _stop.Token)) { IsBackground = true };
        _thread.Start();
    }

    public NewestFrameSlot Slot { get; } = new();

    public CameraHealth Health => _camera.Health;

    /// <summary>The next frame's content; null when the source has ended.</summary>
    public byte[]? Next()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        var frame = Slot.Take(deadline.Token);
        if (frame is null) return null;
        var content = frame.Content.ToArray();
        Slot.Return(frame);
        return content;
    }

    /// <summary>Waits, without taking frames, until the health is so.</summary>
    public CameraHealth Until(Func<CameraHealth, bool> condition)
    {
        if (!SpinWait.SpinUntil(() => condition(Health), Deadline)) Assert.Fail($"The camera stayed at {Health}.");
        return Health;
    }

    public void Stop()
    {
        _stop.Cancel();
        Assert.True(_thread.Join(Deadline), "the camera did not stop");
    }

    public void Dispose()
    {
        Stop();
        _camera.Dispose();
        Slot.Dispose();
        _stop.Dispose();
    }
}
