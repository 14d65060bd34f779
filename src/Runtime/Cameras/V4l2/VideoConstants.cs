namespace Dunlin.Runtime.Cameras.V4l2;

/// <summary>Numbers of linux/videodev2.h.</summary>
internal static class VideoConstants
{
    public const uint QueryCapability = 0x80685600;
    public const uint EnumerateFormats = 0xC0405602;
    public const uint SetFormat = 0xC0D05605;
    public const uint RequestBuffers = 0xC0145608;
    public const uint QueryBuffer = 0xC0585609;
    public const uint QueueBuffer = 0xC058560F;
    public const uint DequeueBuffer = 0xC0585611;
    public const uint StreamOn = 0x40045612;
    public const uint StreamOff = 0x40045613;
    public const uint GetParameters = 0xC0CC5615;
    public const uint SetParameters = 0xC0CC5616;
    public const uint EnumerateFrameSizes = 0xC02C564A;
    public const uint EnumerateFrameIntervals = 0xC034564B;

    public const uint TypeVideoCapture = 1;
    public const uint MemoryMapped = 1;

    // Field orders: how the two fields of interlaced video lie in a buffer, if it holds both.
    public const uint FieldAny = 0;
    public const uint FieldNone = 1;
    public const uint FieldTop = 2;
    public const uint FieldBottom = 3;
    public const uint FieldInterlaced = 4;
    public const uint FieldSequentialTopFirst = 5;
    public const uint FieldSequentialBottomFirst = 6;
    public const uint FieldAlternate = 7;
    public const uint FieldInterlacedTopFirst = 8;
    public const uint FieldInterlacedBottomFirst = 9;

    public const uint CapabilityVideoCapture = 0x00000001;
    public const uint CapabilityStreaming = 0x04000000;
    public const uint CapabilityDeviceCapabilities = 0x80000000;
    public const uint CapabilityTimePerFrame = 0x1000;

    public const uint Discrete = 1;

    public const uint BufferError = 0x40;
    public const uint TimestampMask = 0xE000;
    public const uint TimestampMonotonic = 0x2000;

    public const uint Yuyv = 0x56595559;
    public const uint MotionJpeg = 0x47504A4D;
    public const uint Jpeg = 0x4745504A;

    /// <summary>The four letters of a pixel format.</summary>
    public static string NameOf(uint pixelFormat) =>
        string.Create(4, pixelFormat, static (letters, code) =>
        {
            for (var index = 0; index < 4; index++)
            {
                var letter = (char)(code >> (8 * index) & 0x7F);
                letters[index] = letter is >= ' ' and <= '~' ? letter : '?';
            }
        }).TrimEnd();
}
