namespace Dunlin.Agent.Cameras;

/// <summary>What a stream carries: motion JPEG is handed through untouched, everything else is decoded and encoded again.</summary>
public enum StreamEncoding
{
    /// <summary>By the kind of source: HTTP without a known file extension and .mjpeg files are motion JPEG, RTSP and other files are not.</summary>
    Auto = 1,
    MotionJpeg = 2,
    Other = 3,
}
