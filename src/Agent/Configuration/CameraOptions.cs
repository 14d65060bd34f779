using System.ComponentModel.DataAnnotations;
using Dunlin.Agent.Cameras;

namespace Dunlin.Agent.Configuration;

/// <summary>Section <c>Camera</c>: where frames come from.</summary>
public sealed class CameraOptions : IValidatableObject
{
    public const string Section = "Camera";

    /// <summary>
    /// <c>/dev/video0</c>, a folder of JPEG images, <c>rtsp://…</c>, <c>http://…</c> (MJPEG), a video file, or <c>rpicam:0</c>
    /// (Raspberry Pi CSI camera).
    /// </summary>
    [Required(ErrorMessage = "must name a device, a folder, a URL, a video file or rpicam:N")]
    public string Source { get; set; } = "/dev/video0";

    /// <summary>Pixels to ask for; what the camera answers counts.</summary>
    [Range(16, 8192)]
    public int Width { get; set; } = 640;

    /// <summary>Pixels to ask for; what the camera answers counts.</summary>
    [Range(16, 8192)]
    public int Height { get; set; } = 480;

    /// <summary>Asked of cameras, given by folders.</summary>
    [Range(0.1, 1000)]
    public double FramesPerSecond { get; set; } = 30;

    /// <summary>Milliseconds without a frame that count as a stall; the camera is then opened again.</summary>
    [Range(200, 600_000)]
    public int StallMilliseconds { get; set; } = 3000;

    /// <summary>What a stream carries: <c>motionJpeg</c> is passed through, <c>other</c> is encoded again, <c>auto</c> decides by the source.</summary>
    [EnumDataType(typeof(StreamEncoding), ErrorMessage = "must be auto, motionJpeg or other")]
    public StreamEncoding Encoding { get; set; } = StreamEncoding.Auto;

    /// <summary>A folder begins again after its last image.</summary>
    public bool Repeat { get; set; } = true;

    /// <summary>A folder goes as fast as frames are taken, each exactly once (benchmarks).</summary>
    public bool Unpaced { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        const double framesPerStall = 2, millisecondsPerSecond = 1000;
        // A folder has its images at once, however seldom it gives one.
        if (!(FramesPerSecond > 0) || (CameraSource.TryParse(Source, out var source, out _) && source.Kind == CameraSourceKind.Folder)) yield break;
        var least = (long)Math.Ceiling(framesPerStall / FramesPerSecond * millisecondsPerSecond);
        if (StallMilliseconds < least)
            yield return new ValidationResult(
                $"must bring two frames within Camera:StallMilliseconds, now {StallMilliseconds}, or every wait for a frame counts as a stall; set that to {least} or more", [nameof(FramesPerSecond)]);
    }
}
