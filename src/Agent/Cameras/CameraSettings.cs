namespace Dunlin.Agent.Cameras;

/// <summary>What a source is asked for, from the configuration.</summary>
public sealed record CameraSettings
{
    /// <summary>Pixels; asked of V4L2 and CSI cameras.</summary>
    public int Width { get; init; } = 640;

    /// <summary>Pixels; asked of V4L2 and CSI cameras.</summary>
    public int Height { get; init; } = 480;

    /// <summary>Asked of V4L2 and CSI cameras and given by folders; expected of others, which keep their own.</summary>
    public double FramesPerSecond { get; init; } = 30;

    /// <summary>Milliseconds without a frame that count as a stall, and after which ffmpeg gives a connection up.</summary>
    public int StallMilliseconds { get; init; } = 3000;

    /// <summary>Whether folders and video files begin again.</summary>
    public bool Repeat { get; init; } = true;

    public StreamEncoding Encoding { get; init; } = StreamEncoding.Auto;
}

/// <summary>What a stream carries: motion JPEG is handed through untouched, everything else is decoded and encoded again.</summary>
public enum StreamEncoding
{
    /// <summary>By the kind of source: HTTP without a known file extension and .mjpeg files are motion JPEG, RTSP and other files are not.</summary>
    Auto = 1,
    MotionJpeg = 2,
    Other = 3,
}
