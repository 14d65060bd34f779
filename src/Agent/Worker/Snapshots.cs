using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Snapshots;

namespace Dunlin.Agent.Worker;

/// <summary>Makes of a frame what the supervisor gets to see of it.</summary>
internal static class Snapshots
{
    public static FrameSnapshot Of(FrameBuffer frame)
    {
        var (image, problem) = Encode(frame);
        var (width, height) = FrameJpeg.SizeOf(frame) ?? default;
        return new FrameSnapshot { Image = image, Problem = problem, Frame = frame.Number, CapturedNanoseconds = frame.CapturedNanoseconds, Width = width, Height = height };
    }

    private static (byte[] Image, string? Problem) Encode(FrameBuffer frame)
    {
        try
        {
            return FrameJpeg.Encode(frame, Snapshot.MaximumImageByteCount) is { } image ? (image, null)
                : ([], $"The frame does not fit into {Snapshot.MaximumImageByteCount} bytes even as a coarse JPEG; set Camera:Width and Camera:Height lower.");
        }
        catch (Exception e) when (e is InvalidOperationException or OutOfMemoryException)
        {
            return ([], $"The frame could not be made a JPEG: {e.Message}");
        }
    }
}
