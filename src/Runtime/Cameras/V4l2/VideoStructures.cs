using System.Runtime.InteropServices;

namespace Dunlin.Runtime.Cameras.V4l2;

/// <summary>The structures of linux/videodev2.h as 64-bit x86 and Arm lay them out; only the members that are used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 104)]
internal struct VideoCapability
{
    [FieldOffset(84)] public uint Capabilities;
    [FieldOffset(88)] public uint DeviceCapabilities;
}

[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct VideoFormatDescription
{
    [FieldOffset(0)] public uint Index;
    [FieldOffset(4)] public uint Type;
    [FieldOffset(8)] public uint Flags;
    [FieldOffset(44)] public uint PixelFormat;
}

/// <summary>Discrete: the first two; stepwise and continuous: all six.</summary>
[StructLayout(LayoutKind.Explicit, Size = 44)]
internal struct VideoFrameSize
{
    [FieldOffset(0)] public uint Index;
    [FieldOffset(4)] public uint PixelFormat;
    [FieldOffset(8)] public uint Type;
    [FieldOffset(12)] public uint DiscreteWidth;
    [FieldOffset(16)] public uint DiscreteHeight;
    [FieldOffset(12)] public uint MinWidth;
    [FieldOffset(16)] public uint MaxWidth;
    [FieldOffset(20)] public uint StepWidth;
    [FieldOffset(24)] public uint MinHeight;
    [FieldOffset(28)] public uint MaxHeight;
    [FieldOffset(32)] public uint StepHeight;
}

/// <summary>Seconds as a fraction.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct VideoFraction
{
    public uint Numerator;
    public uint Denominator;
}

[StructLayout(LayoutKind.Explicit, Size = 52)]
internal struct VideoFrameInterval
{
    [FieldOffset(0)] public uint Index;
    [FieldOffset(4)] public uint PixelFormat;
    [FieldOffset(8)] public uint Width;
    [FieldOffset(12)] public uint Height;
    [FieldOffset(16)] public uint Type;
    [FieldOffset(20)] public VideoFraction Discrete;
    [FieldOffset(20)] public VideoFraction Min;
    [FieldOffset(28)] public VideoFraction Max;
}

/// <summary>v4l2_format with its union as v4l2_pix_format.</summary>
[StructLayout(LayoutKind.Explicit, Size = 208)]
internal struct VideoFormat
{
    [FieldOffset(0)] public uint Type;
    [FieldOffset(8)] public uint Width;
    [FieldOffset(12)] public uint Height;
    [FieldOffset(16)] public uint PixelFormat;
    [FieldOffset(20)] public uint Field;
    [FieldOffset(24)] public uint BytesPerLine;
    [FieldOffset(28)] public uint SizeImage;
}

/// <summary>v4l2_streamparm with its union as v4l2_captureparm.</summary>
[StructLayout(LayoutKind.Explicit, Size = 204)]
internal struct VideoStreamParameters
{
    [FieldOffset(0)] public uint Type;
    [FieldOffset(4)] public uint Capability;
    [FieldOffset(12)] public VideoFraction TimePerFrame;
}

[StructLayout(LayoutKind.Explicit, Size = 20)]
internal struct VideoRequestBuffers
{
    [FieldOffset(0)] public uint Count;
    [FieldOffset(4)] public uint Type;
    [FieldOffset(8)] public uint Memory;
}

[StructLayout(LayoutKind.Explicit, Size = 88)]
internal struct VideoBuffer
{
    [FieldOffset(0)] public uint Index;
    [FieldOffset(4)] public uint Type;
    [FieldOffset(8)] public uint BytesUsed;
    [FieldOffset(12)] public uint Flags;
    [FieldOffset(24)] public long Seconds;
    [FieldOffset(32)] public long Microseconds;
    [FieldOffset(56)] public uint Sequence;
    [FieldOffset(60)] public uint Memory;
    [FieldOffset(64)] public uint Offset;
    [FieldOffset(72)] public uint Length;
}
