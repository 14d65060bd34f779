using Dunlin.Contracts.Messages;
using Dunlin.Runtime.Frames;

namespace Dunlin.Runtime.Cameras;

/// <summary>A source of frames. Opens and reopens by itself; a fault shows in <see cref="Health"/>, not as an exception.</summary>
public interface ICamera : IDisposable
{
    /// <summary>A snapshot; safe from any thread.</summary>
    CameraHealth Health { get; }

    /// <summary>
    /// Captures into the slot on the calling thread until cancelled, or until a source that ends has ended
    /// (it then completes the slot). Returns normally when cancelled.
    /// </summary>
    void Run(NewestFrameSlot slot, CancellationToken cancellationToken);
}
