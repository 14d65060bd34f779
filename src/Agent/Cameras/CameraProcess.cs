using System.Globalization;
using Dunlin.Agent.Configuration;

namespace Dunlin.Agent.Cameras;

/// <summary>
/// The command lines of camera processes (ffmpeg 5.1 or later, rpicam-vid). The URL of a network camera goes to ffmpeg as a
/// concat script on its standard input, so that its password is in no argument; docs/decisions/0004 says why.
/// </summary>
public static class CameraProcess
{
    private const string Protocols = "pipe,fd,file,tcp,udp,rtp,rtsp,rtsps,tls,http,https,httpproxy,crypto,data,hls";
    private static readonly string[] EncodedExtensions = [".m3u8", ".mp4", ".m4v", ".ts", ".flv", ".webm", ".mkv", ".mov", ".h264", ".h265"];

    /// <summary>Null for a source that the worker opens itself.</summary>
    public static CameraProgram? For(CameraSource source, CameraOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        return source.Kind switch
        {
            CameraSourceKind.Folder or CameraSourceKind.VideoDevice => null,
            CameraSourceKind.Csi => RpicamVid(source, options),
            CameraSourceKind.VideoFile => Ffmpeg(
                [.. options.Repeat ? ["-stream_loop", "-1"] : (string[])[], "-re", "-i", "file:" + source.Address], IsMotionJpeg(source, options), null) with { Read = [source.Address], IsFinite = !options.Repeat },
            _ => Ffmpeg(["-f", "concat", "-safe", "0", "-protocol_whitelist", Protocols, "-fflags", "nobuffer", "-flags", "low_delay", "-i", "pipe:0"],
                IsMotionJpeg(source, options), Script(source, options)),
        };
    }

    private static CameraProgram Ffmpeg(string[] input, bool isMotionJpeg, string? script) =>
        new("ffmpeg",
        [
            "-hide_banner", "-nostdin", "-loglevel", "error", .. input, "-map", "0:v:0", "-an", "-sn", "-dn",
            .. isMotionJpeg ? (string[])["-c:v", "copy"] : ["-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"],
            "-fps_mode", "passthrough", "-flush_packets", "1", "-f", "image2pipe", "pipe:1",
        ])
        { StandardInput = script };

    private static CameraProgram RpicamVid(CameraSource source, CameraOptions options) =>
        new("rpicam-vid",
        [
            "--camera", source.Index.ToString(CultureInfo.InvariantCulture), "--codec", "mjpeg",
            "--width", options.Width.ToString(CultureInfo.InvariantCulture), "--height", options.Height.ToString(CultureInfo.InvariantCulture),
            "--framerate", options.FramesPerSecond.ToString(CultureInfo.InvariantCulture), "--flush", "-t", "0", "-n", "-o", "-",
        ]);

    private static string Script(CameraSource source, CameraOptions options)
    {
        var microseconds = (options.StallMilliseconds * 1000L).ToString(CultureInfo.InvariantCulture);
        var transport = source.Kind == CameraSourceKind.Rtsp
            ? $"option rtsp_transport tcp\noption timeout {microseconds}\n"
            : $"option rw_timeout {microseconds}\n";
        var address = source.Address.Replace("'", @"'\''", StringComparison.Ordinal);
        return $"ffconcat version 1.0\nfile '{address}'\n{transport}option fflags nobuffer\noption analyzeduration 1000000\n";
    }

    private static bool IsMotionJpeg(CameraSource source, CameraOptions options) => options.Encoding switch
    {
        StreamEncoding.MotionJpeg => true,
        StreamEncoding.Other => false,
        _ => source.Kind switch
        {
            CameraSourceKind.Http => !EncodedExtensions.Contains(
                Path.GetExtension(new Uri(source.Address).AbsolutePath), StringComparer.OrdinalIgnoreCase),
            CameraSourceKind.VideoFile => Path.GetExtension(source.Address).ToUpperInvariant() is ".MJPEG" or ".MJPG",
            _ => false,
        },
    };
}
