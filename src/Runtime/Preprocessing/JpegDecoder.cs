using System.Runtime.InteropServices;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>
/// libturbojpeg, strictly: what is incomplete or damaged is refused. Decodes at the smallest scale that the fit allows,
/// to Y, Cb and Cr planes, so that colour conversion and chroma upsampling happen once, at the model's size.
/// </summary>
internal sealed unsafe class JpegDecoder : IDisposable
{
    private const int Flags = TurboJpeg.LimitScans;

    private readonly JpegLimits _limits;
    private readonly bool _grayOnly;
    private readonly JpegScan _scan = new();
    private nint _handle;
    private byte[] _pixels = [];

    /// <summary>With <paramref name="grayOnly"/>, chroma is skipped.</summary>
    /// <exception cref="InvalidOperationException">libturbojpeg is not installed.</exception>
    public JpegDecoder(JpegLimits limits, bool grayOnly)
    {
        _limits = limits;
        _grayOnly = grayOnly;
        _handle = Open();
    }

    private static nint Open()
    {
        try
        {
            var handle = TurboJpeg.InitDecompress();
            return handle != 0 ? handle : throw new InvalidOperationException($"'{TurboJpeg.Library}' gave no decoder; is there memory?");
        }
        catch (DllNotFoundException missing)
        {
            throw new InvalidOperationException(
                $"'{TurboJpeg.Library}', which decodes JPEG frames, is not on this machine; install it: apt install libturbojpeg0", missing);
        }
    }

    /// <summary>
    /// <paramref name="scale"/> chooses eighths of the full size from the width and height of the image.
    /// <paramref name="picture"/> points into memory of this decoder, valid until its next call.
    /// </summary>
    public FrameStatus Decode(ReadOnlySpan<byte> jpeg, Func<int, int, int> scale, out Picture picture)
    {
        picture = default;
        if (jpeg.IsEmpty) return FrameStatus.Empty;
        if (!JpegHeader.HasMagic(jpeg)) return FrameStatus.NotJpeg;
        if (!JpegHeader.TryRead(jpeg, out var header)) return JpegHeader.UndecodedKind(jpeg) is null ? FrameStatus.Corrupt : FrameStatus.Unsupported;
        if ((long)header.Width * header.Height > _limits.PixelCountOf(header)) return FrameStatus.TooLarge;
        fixed (byte* bytes = jpeg)
        {
            var length = (nuint)jpeg.Length;
            if (TurboJpeg.DecompressHeader(_handle, bytes, length, out var width, out var height, out var subsampling, out var colours) != 0
                || width != header.Width || height != header.Height)
                return Refuse();
            var eighths = scale(width, height);
            int result;
            if (colours is not (TurboJpeg.ColourSpaceGray or TurboJpeg.ColourSpaceYcbcr))
                result = DecodeRgb(bytes, length, width, height, eighths, ref picture);
            else if (_grayOnly || colours == TurboJpeg.ColourSpaceGray)
                result = DecodeGray(bytes, length, width, height, eighths, ref picture);
            else if (Chroma(subsampling) is { } chroma)
                result = DecodeYuv(bytes, length, width, height, eighths, chroma, ref picture);
            else
                return FrameStatus.Corrupt;
            return result == 0 || (IsPadded() && !header.Buffered && _scan.IsWhole(jpeg)) ? FrameStatus.Ok : Refuse();
        }
    }

    private int DecodeGray(byte* bytes, nuint length, int width, int height, int eighths, ref Picture picture)
    {
        picture.Shape = new PictureShape(PixelLayout.Gray, Packing.Planar, width, height, eighths, 1, 1);
        var (planeWidth, planeHeight) = (picture.Shape.PlaneWidth(0), picture.Shape.PlaneHeight(0));
        picture.Stride0 = planeWidth;
        picture.Plane0 = Memory((long)planeWidth * planeHeight);
        return TurboJpeg.Decompress(
            _handle, bytes, length, picture.Plane0, planeWidth, planeWidth, planeHeight, TurboJpeg.PixelFormatGray, Flags);
    }

    private int DecodeRgb(byte* bytes, nuint length, int width, int height, int eighths, ref Picture picture)
    {
        picture.Shape = new PictureShape(PixelLayout.Rgb, Packing.Rgb24, width, height, eighths, 1, 1);
        var (planeWidth, planeHeight) = (picture.Shape.PlaneWidth(0), picture.Shape.PlaneHeight(0));
        picture.Stride0 = 3 * planeWidth;
        picture.Plane0 = Memory(3L * planeWidth * planeHeight);
        return TurboJpeg.Decompress(
            _handle, bytes, length, picture.Plane0, planeWidth, 3 * planeWidth, planeHeight, TurboJpeg.PixelFormatRgb, Flags);
    }

    private int DecodeYuv(
        byte* bytes, nuint length, int width, int height, int eighths, (int X, int Y) chroma, ref Picture picture)
    {
        picture.Shape = new PictureShape(PixelLayout.FullRangeYuv, Packing.Planar, width, height, eighths, chroma.X, chroma.Y);
        var (chromaWidth, chromaHeight) = (picture.Shape.PlaneWidth(1), picture.Shape.PlaneHeight(1));
        // The library pads luma to whole chroma pixels.
        picture.Stride0 = chromaWidth * chroma.X;
        picture.Stride1 = picture.Stride2 = chromaWidth;
        var lumaBytes = (long)picture.Stride0 * chromaHeight * chroma.Y;
        var chromaBytes = (long)chromaWidth * chromaHeight;
        picture.Plane0 = Memory(lumaBytes + 2 * chromaBytes);
        picture.Plane1 = picture.Plane0 + lumaBytes;
        picture.Plane2 = picture.Plane1 + chromaBytes;
        var planes = stackalloc byte*[] { picture.Plane0, picture.Plane1, picture.Plane2 };
        var strides = stackalloc int[] { picture.Stride0, picture.Stride1, picture.Stride2 };
        return TurboJpeg.DecompressToPlanes(
            _handle, bytes, length, planes, picture.Shape.PlaneWidth(0), strides, picture.Shape.PlaneHeight(0), Flags);
    }

    /// <summary>Luma pixels per chroma pixel along x and y, by TJSAMP.</summary>
    private static (int X, int Y)? Chroma(int subsampling) => subsampling switch
    {
        0 => (1, 1),
        1 => (2, 1),
        2 => (2, 2),
        4 => (1, 2),
        5 => (4, 1),
        _ => null,
    };

    // Webcams fill up the data before a restart or the end with a few bytes, in each frame. Of several warnings the first alone
    // is told, so what else may be wrong is looked for.
    private bool IsPadded()
    {
        if (TurboJpeg.ErrorCode(_handle) != TurboJpeg.Warning) return false;
        var said = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(TurboJpeg.ErrorText(_handle));
        var corrupt = "Corrupt JPEG data: "u8;
        return said.StartsWith(corrupt) && said[corrupt.Length..] is [>= (byte)'1' and <= (byte)'8', .. var what, >= (byte)'0' and <= (byte)'9']
            && what.SequenceEqual(" extraneous bytes before marker 0xd"u8);
    }

    /// <summary>A decoder that a damaged image has left in the middle refuses sound ones too: the next frame gets a new one.</summary>
    private FrameStatus Refuse()
    {
        Dispose();
        _handle = Open();
        return FrameStatus.Corrupt;
    }

    private byte* Memory(long length)
    {
        if (_pixels.Length < length) _pixels = GC.AllocateUninitializedArray<byte>(checked((int)length), pinned: true);
        return (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_pixels, 0);
    }

    public void Dispose()
    {
        if (_handle == 0) return;
        _ = TurboJpeg.Destroy(_handle);
        _handle = 0;
    }
}
