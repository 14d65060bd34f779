using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Cameras.V4l2;
using Microsoft.Extensions.Logging;

namespace Dunlin.Runtime.Cameras;

/// <summary>Makes the camera that a <see cref="CameraSpec"/> describes.</summary>
public static class Camera
{
    /// <summary>Nothing is opened yet: <see cref="ICamera.Run"/> does that, again and again. Whoever calls this disposes the camera.</summary>
    /// <exception cref="ArgumentException">The specification contradicts itself.</exception>
    public static ICamera Open(CameraSpec spec, TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(logger);
        if (!double.IsFinite(spec.FramesPerSecond) || spec.FramesPerSecond <= 0)
            throw new ArgumentException($"Camera '{spec.Source}' has a rate of {spec.FramesPerSecond} frames per second; give one above 0.", nameof(spec));
        if (spec.StallMilliseconds <= 0)
            throw new ArgumentException($"Camera '{spec.Source}' has a stall time of {spec.StallMilliseconds} ms; give one above 0.", nameof(spec));
        return spec.Kind switch
        {
            CameraKind.Folder => new FolderCamera(spec, time, logger),
            CameraKind.Pipe => new PipeCamera(spec, time, logger),
            CameraKind.V4l2 => new V4l2Camera(spec, new LinuxVideoSystem(), time, logger),
            _ => throw new ArgumentException($"Camera '{spec.Source}' has the unknown kind {spec.Kind}; it is folder, v4l2 or pipe.", nameof(spec)),
        };
    }
}
