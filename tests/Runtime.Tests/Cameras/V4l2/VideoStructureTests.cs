using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Dunlin.Runtime.Cameras.V4l2;

namespace Dunlin.Runtime.Tests.Cameras.V4l2;

public sealed class VideoStructureTests
{
    /// <summary>C expressions with what we hold them to be.</summary>
    private static readonly Dictionary<string, long> Layout = new()
    {
        ["sizeof(struct v4l2_capability)"] = Marshal.SizeOf<VideoCapability>(),
        ["sizeof(struct v4l2_fmtdesc)"] = Marshal.SizeOf<VideoFormatDescription>(),
        ["sizeof(struct v4l2_frmsizeenum)"] = Marshal.SizeOf<VideoFrameSize>(),
        ["sizeof(struct v4l2_frmivalenum)"] = Marshal.SizeOf<VideoFrameInterval>(),
        ["sizeof(struct v4l2_format)"] = Marshal.SizeOf<VideoFormat>(),
        ["sizeof(struct v4l2_streamparm)"] = Marshal.SizeOf<VideoStreamParameters>(),
        ["sizeof(struct v4l2_requestbuffers)"] = Marshal.SizeOf<VideoRequestBuffers>(),
        ["sizeof(struct v4l2_buffer)"] = Marshal.SizeOf<VideoBuffer>(),
        ["offsetof(struct v4l2_capability, capabilities)"] = Offset<VideoCapability>("Capabilities"),
        ["offsetof(struct v4l2_capability, device_caps)"] = Offset<VideoCapability>("DeviceCapabilities"),
        ["offsetof(struct v4l2_fmtdesc, pixelformat)"] = Offset<VideoFormatDescription>("PixelFormat"),
        ["offsetof(struct v4l2_frmsizeenum, discrete.height)"] = Offset<VideoFrameSize>("DiscreteHeight"),
        ["offsetof(struct v4l2_frmsizeenum, stepwise.min_height)"] = Offset<VideoFrameSize>("MinHeight"),
        ["offsetof(struct v4l2_frmsizeenum, stepwise.step_height)"] = Offset<VideoFrameSize>("StepHeight"),
        ["offsetof(struct v4l2_frmivalenum, type)"] = Offset<VideoFrameInterval>("Type"),
        ["offsetof(struct v4l2_frmivalenum, discrete)"] = Offset<VideoFrameInterval>("Discrete"),
        ["offsetof(struct v4l2_frmivalenum, stepwise.max)"] = Offset<VideoFrameInterval>("Max"),
        ["offsetof(struct v4l2_format, fmt.pix.width)"] = Offset<VideoFormat>("Width"),
        ["offsetof(struct v4l2_format, fmt.pix.pixelformat)"] = Offset<VideoFormat>("PixelFormat"),
        ["offsetof(struct v4l2_format, fmt.pix.bytesperline)"] = Offset<VideoFormat>("BytesPerLine"),
        ["offsetof(struct v4l2_format, fmt.pix.sizeimage)"] = Offset<VideoFormat>("SizeImage"),
        ["offsetof(struct v4l2_streamparm, parm.capture.capability)"] = Offset<VideoStreamParameters>("Capability"),
        ["offsetof(struct v4l2_streamparm, parm.capture.timeperframe)"] = Offset<VideoStreamParameters>("TimePerFrame"),
        ["offsetof(struct v4l2_requestbuffers, memory)"] = Offset<VideoRequestBuffers>("Memory"),
        ["offsetof(struct v4l2_buffer, bytesused)"] = Offset<VideoBuffer>("BytesUsed"),
        ["offsetof(struct v4l2_buffer, flags)"] = Offset<VideoBuffer>("Flags"),
        ["offsetof(struct v4l2_buffer, timestamp.tv_sec)"] = Offset<VideoBuffer>("Seconds"),
        ["offsetof(struct v4l2_buffer, timestamp.tv_usec)"] = Offset<VideoBuffer>("Microseconds"),
        ["offsetof(struct v4l2_buffer, sequence)"] = Offset<VideoBuffer>("Sequence"),
        ["offsetof(struct v4l2_buffer, memory)"] = Offset<VideoBuffer>("Memory"),
        ["offsetof(struct v4l2_buffer, m.offset)"] = Offset<VideoBuffer>("Offset"),
        ["offsetof(struct v4l2_buffer, length)"] = Offset<VideoBuffer>("Length"),
        ["VIDIOC_QUERYCAP"] = VideoConstants.QueryCapability,
        ["VIDIOC_ENUM_FMT"] = VideoConstants.EnumerateFormats,
        ["VIDIOC_S_FMT"] = VideoConstants.SetFormat,
        ["VIDIOC_REQBUFS"] = VideoConstants.RequestBuffers,
        ["VIDIOC_QUERYBUF"] = VideoConstants.QueryBuffer,
        ["VIDIOC_QBUF"] = VideoConstants.QueueBuffer,
        ["VIDIOC_DQBUF"] = VideoConstants.DequeueBuffer,
        ["VIDIOC_STREAMON"] = VideoConstants.StreamOn,
        ["VIDIOC_STREAMOFF"] = VideoConstants.StreamOff,
        ["VIDIOC_G_PARM"] = VideoConstants.GetParameters,
        ["VIDIOC_S_PARM"] = VideoConstants.SetParameters,
        ["VIDIOC_ENUM_FRAMESIZES"] = VideoConstants.EnumerateFrameSizes,
        ["VIDIOC_ENUM_FRAMEINTERVALS"] = VideoConstants.EnumerateFrameIntervals,
        ["V4L2_PIX_FMT_YUYV"] = VideoConstants.Yuyv,
        ["V4L2_PIX_FMT_MJPEG"] = VideoConstants.MotionJpeg,
        ["V4L2_PIX_FMT_JPEG"] = VideoConstants.Jpeg,
        ["V4L2_BUF_FLAG_ERROR"] = VideoConstants.BufferError,
        ["V4L2_BUF_FLAG_TIMESTAMP_MASK"] = VideoConstants.TimestampMask,
        ["V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC"] = VideoConstants.TimestampMonotonic,
        ["V4L2_CAP_TIMEPERFRAME"] = VideoConstants.CapabilityTimePerFrame,
    };

    [Fact]
    public void TheSizesAreThoseOfA64BitKernel() =>
        Assert.Equal([104, 64, 44, 52, 208, 204, 20, 88], Layout.Take(8).Select(entry => entry.Value));

    [Theory]
    [InlineData("gcc")]
    [InlineData("aarch64-linux-gnu-gcc")]
    public async Task EverySizeOffsetAndNumberIsWhatTheKernelsHeaderSays(string compiler)
    {
        if (!File.Exists($"/usr/bin/{compiler}")) Assert.Skip($"{compiler} is not installed");
        var asserts = Layout.Select(entry => $"_Static_assert((unsigned long){entry.Key} == {entry.Value.ToString(CultureInfo.InvariantCulture)}UL, \"{entry.Key}\");");
        var start = new ProcessStartInfo(compiler, ["-fsyntax-only", "-xc", "-"]) { RedirectStandardInput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync($"#include <stddef.h>\n#include <linux/videodev2.h>\n{string.Join('\n', asserts)}\n");
        process.StandardInput.Close();
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", errors);
    }

    private static long Offset<T>(string field) => Marshal.OffsetOf<T>(field);
}
