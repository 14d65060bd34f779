using System.Diagnostics;
using Dunlin.Runtime.Frames;

namespace Dunlin.Runtime.Tests.Pipeline;

/// <summary>Publishes so many JPEG frames on a thread of its own, each when the one before was taken, and then ends.</summary>
internal sealed class LosslessCamera : IDisposable
{
    private readonly Thread _thread;

    public LosslessCamera(NewestFrameSlot slot, int count, Func<int, byte[]> image, Func<int, TimeSpan>? age = null)
    {
        _thread = new Thread(() =>
        {
            for (var i = 0; i < count; i++)
            {
                var frame = slot.Rent();
                frame.Format = PixelFormat.Jpeg;
                var bytes = image(i);
                bytes.CopyTo(frame.Resize(bytes.Length));
                frame.Number = i;
                frame.CapturedNanoseconds = Stopwatch.GetTimestamp() - (long)((age?.Invoke(i) ?? TimeSpan.Zero).TotalMilliseconds * 1e6);
                slot.Publish(frame);
                slot.WaitUntilTaken(CancellationToken.None);
            }

            slot.Complete();
        });
        _thread.Start();
    }

    public void Dispose() => _thread.Join();
}
