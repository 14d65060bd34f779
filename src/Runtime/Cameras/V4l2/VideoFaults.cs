using System.Globalization;
using System.Runtime.InteropServices;

namespace Dunlin.Runtime.Cameras.V4l2;

/// <summary>Says what an error of a video device means and what to do about it.</summary>
internal sealed class VideoFaults(string path)
{
    public CameraFault Opening(int error) => error switch
    {
        Errno.NoEntry or Errno.NoDevice or Errno.NoDeviceOrAddress => Unplugged(),
        Errno.AccessDenied => new(CameraStates.Failed,
            $"Video device '{path}' may not be opened by this user; add the user of the service to the group video."),
        Errno.NotPermitted => new(CameraStates.Failed,
            $"Video device '{path}' is not among the devices of the service, which systemd knew no driver of when it started it: systemctl restart dunlin-agent."),
        _ => Failing("open", error),
    };

    public CameraFault Unplugged() => new(CameraStates.Absent, $"Video device '{path}' is not there; plug the camera in, or name another device in the configuration.");

    /// <summary>The same for each format, since they are tried in turn.</summary>
    public CameraFault Streaming(int error) => error == Errno.NoSpace
        ? new(CameraStates.Failed,
            $"The USB bus has no bandwidth left for video device '{path}'; MJPEG is tried too where the camera has it. Ask for a smaller size or fewer frames per second, or plug the camera into another bus.")
        : Failing("STREAMON", error);

    public CameraFault Failing(string call, int error) => error switch
    {
        Errno.Busy => new(CameraStates.Busy,
            $"Video device '{path}' is used by another program; find it with 'fuser {path}' and stop it."),
        Errno.NoDevice or Errno.NoDeviceOrAddress => Unplugged(),
        Errno.NotTypewriter => new(CameraStates.Failed, $"'{path}' is no V4L2 video device; name one like /dev/video0 ('v4l2-ctl --list-devices' lists them)."),
        _ => new(CameraStates.Failed, string.Create(CultureInfo.InvariantCulture,
            $"Video device '{path}' fails at {call}: {Marshal.GetPInvokeErrorMessage(error)} (errno {error}); it is opened again, and if that does not help look at dmesg.")),
    };

    public CameraFault NoCaptureDevice() => new(CameraStates.Failed,
        $"Video device '{path}' captures no video (a metadata or output node, or a loopback without a producer); name another of the camera's nodes.");

    public CameraFault NoFormat(IReadOnlyList<string> others) => new(CameraStates.Failed,
        $"Video device '{path}' offers {(others.Count > 0 ? string.Join(", ", others.Take(12)) : "no format")}, but neither YUYV nor MJPEG is among them; name another device, or for a CSI camera the source 'rpicam:'.");

    public CameraFault TooFewBuffers(uint count) => new(CameraStates.Failed, string.Create(CultureInfo.InvariantCulture,
        $"Video device '{path}' gave {count} buffers where at least 2 are needed; ask for a smaller size."));

    /// <summary>What the driver answered counts, as long as we can read it.</summary>
    public CameraFault? FormatAnswer(CaptureMode asked, in VideoFormat answer)
    {
        if (answer.PixelFormat is not (VideoConstants.Yuyv or VideoConstants.MotionJpeg or VideoConstants.Jpeg))
            return new(CameraStates.Failed,
                $"Video device '{path}' was asked for {VideoConstants.NameOf(asked.PixelFormat)} and switched to {VideoConstants.NameOf(answer.PixelFormat)}, which cannot be read; ask for another size.");
        var isSound = answer.Width is > 0 and <= ushort.MaxValue && answer.Height is > 0 and <= ushort.MaxValue
            && (answer.PixelFormat != VideoConstants.Yuyv || answer.BytesPerLine == 0 || answer.BytesPerLine >= answer.Width * 2)
            && (ulong)answer.BytesPerLine * answer.Height <= int.MaxValue;
        return isSound ? FieldAnswer(answer.Field) : new(CameraStates.Failed, string.Create(CultureInfo.InvariantCulture,
            $"Video device '{path}' answers with an impossible format ({answer.Width}x{answer.Height}, {answer.BytesPerLine} bytes a row); ask for another size."));
    }

    /// <summary>Whole pictures only: a model takes single fields, or one above the other, for pictures and is wrong in silence.</summary>
    private CameraFault? FieldAnswer(uint field)
    {
        var order = field switch
        {
            // No driver should leave it open; those that do are old ones of progressive cameras.
            VideoConstants.FieldNone or VideoConstants.FieldAny => null,
            VideoConstants.FieldInterlaced or VideoConstants.FieldInterlacedTopFirst or VideoConstants.FieldInterlacedBottomFirst => null,
            VideoConstants.FieldTop => "top fields only",
            VideoConstants.FieldBottom => "bottom fields only",
            VideoConstants.FieldAlternate => "the fields one after the other (alternate)",
            VideoConstants.FieldSequentialTopFirst or VideoConstants.FieldSequentialBottomFirst => "one field above the other (sequential)",
            _ => string.Create(CultureInfo.InvariantCulture, $"the field order {field}, which is not known here"),
        };
        return order is null ? null : new(CameraStates.Failed,
            $"Video device '{path}' was asked for whole pictures and gives those of interlaced video: {order}; choose another input, standard or size (v4l2-ctl), or let ffmpeg deinterlace it in a program of its own and name the stream that it serves in Camera:Source.");
    }
}
