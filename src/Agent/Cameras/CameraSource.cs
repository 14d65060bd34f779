using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Dunlin.Agent.Configuration;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Cameras;

public enum CameraSourceKind
{
    Folder = 1,
    VideoDevice = 2,
    Rtsp = 3,
    Http = 4,
    VideoFile = 5,
    Csi = 6,
}

/// <summary>
/// The camera that a configuration names: a folder of images, <c>/dev/videoN</c>, <c>rtsp://…</c>, <c>http://…</c>, a video
/// file, or <c>rpicam:N</c>. <see cref="ToString"/> is safe for logs and messages.
/// </summary>
public sealed class CameraSource
{
    private static readonly string[] VideoExtensions =
        [".mp4", ".m4v", ".mkv", ".webm", ".avi", ".mov", ".ts", ".m2ts", ".mpg", ".mpeg", ".flv", ".h264", ".h265", ".mjpeg", ".mjpg"];

    private CameraSource(CameraSourceKind kind, string address, int index = 0) => (Kind, Address, Index) = (kind, address, index);

    public CameraSourceKind Kind { get; }

    /// <summary>A path or a URL; may hold a password: never log it.</summary>
    public string Address { get; }

    /// <summary>Of a CSI camera, from 0.</summary>
    public int Index { get; }

    /// <summary>Whether a process outside of the worker delivers the frames through a pipe.</summary>
    public bool IsPiped => Kind is not (CameraSourceKind.Folder or CameraSourceKind.VideoDevice);

    /// <summary>Paths become absolute. Nothing is looked up: a source may come later.</summary>
    /// <param name="text">As configured.</param>
    /// <param name="source">Null when it could not be parsed.</param>
    /// <param name="error">A sentence with what to write instead; holds no password.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out CameraSource? source, [NotNullWhen(false)] out string? error)
    {
        (source, error) = (null, null);
        if (string.IsNullOrWhiteSpace(text) || text.Any(char.IsControl))
            error = "The camera source is empty or holds control characters; name a folder, /dev/videoN, rtsp://…, http://…, a video file or rpicam:.";
        else if (text.Contains("://", StringComparison.Ordinal)) source = FromUrl(text, ref error);
        else if (IndexAfter(text, "rpicam:", "csi:") is { } index) source = FromCsi(text, index, ref error);
        else source = FromPath(text, ref error);
        return source is not null;
    }

    /// <summary>What the worker is told. Never holds the password.</summary>
    /// <param name="options">What is asked of the camera.</param>
    /// <param name="descriptor">The read end of the pipe; for piped sources only.</param>
    public CameraSpec ToSpec(CameraOptions options, int? descriptor)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (IsPiped != descriptor.HasValue) throw new ArgumentException($"Camera '{this}' {(IsPiped ? "needs a" : "takes no")} pipe.", nameof(descriptor));
        return new CameraSpec
        {
            Kind = Kind switch
            {
                CameraSourceKind.Folder => CameraKind.Folder,
                CameraSourceKind.VideoDevice => CameraKind.V4l2,
                _ => CameraKind.Pipe,
            },
            Source = ToString(),
            Descriptor = descriptor,
            Width = options.Width,
            Height = options.Height,
            FramesPerSecond = options.FramesPerSecond,
            StallMilliseconds = options.StallMilliseconds,
            Repeat = options.Repeat || Kind is not (CameraSourceKind.Folder or CameraSourceKind.VideoFile),
        };
    }

    public override string ToString() => Kind switch
    {
        CameraSourceKind.Csi => string.Create(CultureInfo.InvariantCulture, $"rpicam:{Index}"),
        CameraSourceKind.Rtsp or CameraSourceKind.Http => UrlRedaction.Redact(Address),
        _ => Address,
    };

    private static CameraSource? FromUrl(string text, ref string? error)
    {
        // Uri forgives spaces; ffmpeg's script and the redaction of log lines end a URL there.
        if (text.Any(char.IsWhiteSpace) || text.Contains('"') || !Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Host.Length == 0)
        {
            error = $"Camera source '{UrlRedaction.Redact(text)}' is no valid URL; write scheme://user:password@host:port/path, with special characters percent-encoded.";
            return null;
        }

        switch (url.Scheme)
        {
            case "rtsp" or "rtsps":
                return new CameraSource(CameraSourceKind.Rtsp, text);
            case "http" or "https":
                return new CameraSource(CameraSourceKind.Http, text);
            default:
                error = $"Camera source '{UrlRedaction.Redact(text)}' has the scheme '{url.Scheme}'; it must be rtsp, rtsps, http or https, or a path.";
                return null;
        }
    }

    private static CameraSource? FromCsi(string text, string index, ref string? error)
    {
        var number = 0;
        if (index.Length == 0 || (int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < 16))
            return new CameraSource(CameraSourceKind.Csi, text, number);
        error = $"Camera source '{text}' has the camera number '{index}'; it must be 0 to 15, as 'rpicam-hello --list-cameras' says.";
        return null;
    }

    private static CameraSource? FromPath(string text, ref string? error)
    {
        var path = Path.GetFullPath(text);
        if (path.StartsWith("/dev/", StringComparison.Ordinal))
        {
            if (path.StartsWith("/dev/video", StringComparison.Ordinal) || path.StartsWith("/dev/v4l/", StringComparison.Ordinal))
                return new CameraSource(CameraSourceKind.VideoDevice, path);
            error = $"Camera source '{path}' is no video device; name /dev/videoN or a link in /dev/v4l/by-id.";
            return null;
        }

        var extension = Path.GetExtension(path);
        if (VideoExtensions.Contains(extension, StringComparer.OrdinalIgnoreCase)) return new CameraSource(CameraSourceKind.VideoFile, path);
        if (extension.ToUpperInvariant() is not (".JPG" or ".JPEG" or ".PNG")) return new CameraSource(CameraSourceKind.Folder, path);
        error = $"Camera source '{path}' is a single image; name the folder it is in.";
        return null;
    }

    private static string? IndexAfter(string text, params ReadOnlySpan<string> prefixes)
    {
        foreach (var prefix in prefixes)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal)) return text[prefix.Length..];
        }

        return null;
    }
}
