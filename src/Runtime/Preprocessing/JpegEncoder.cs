using System.Runtime.InteropServices;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>Pictures to JPEG by libturbojpeg, in the colours and at the size that they have. For a picture now and then: it keeps nothing.</summary>
internal static unsafe class JpegEncoder
{
    private const int GraySubsampling = 3;

    /// <summary>A packed YUV picture must have been unpacked.</summary>
    /// <param name="picture">Planar, or RGB.</param>
    /// <param name="quality">1 to 100.</param>
    /// <exception cref="InvalidOperationException">libturbojpeg refuses.</exception>
    public static byte[] Encode(in Picture picture, int quality)
    {
        var shape = picture.Shape;
        var (width, height) = (shape.PlaneWidth(0), shape.PlaneHeight(0));
        var isRgb = shape.Packing == Packing.Rgb24;
        var subsampling = isRgb ? SubsamplingOf(2, 2) : shape.PlaneCount == 1 ? GraySubsampling : SubsamplingOf(shape.ChromaX, shape.ChromaY);
        var encoded = new byte[TurboJpeg.BufferSize(width, height, subsampling)];
        var handle = TurboJpeg.InitCompress();
        if (handle == 0) throw new InvalidOperationException($"'{TurboJpeg.Library}' gave no encoder; is there memory?");
        try
        {
            fixed (byte* start = encoded)
            {
                var jpeg = start;
                var length = (nuint)encoded.Length;
                var planes = stackalloc byte*[] { picture.Plane0, picture.Plane1, picture.Plane2 };
                var strides = stackalloc int[] { picture.Stride0, picture.Stride1, picture.Stride2 };
                var result = isRgb
                    ? TurboJpeg.Compress(handle, picture.Plane0, width, picture.Stride0, height, TurboJpeg.PixelFormatRgb, &jpeg, &length, subsampling, quality, TurboJpeg.NoReallocation)
                    : TurboJpeg.CompressFromPlanes(handle, planes, width, strides, height, subsampling, &jpeg, &length, quality, TurboJpeg.NoReallocation);
                return result == 0 ? encoded[..(int)length]
                    : throw new InvalidOperationException($"'{TurboJpeg.Library}' did not encode {width} × {height} pixels: {Marshal.PtrToStringUTF8((nint)TurboJpeg.ErrorText(handle))}");
            }
        }
        finally
        {
            _ = TurboJpeg.Destroy(handle);
        }
    }

    /// <summary>TJSAMP by luma pixels per chroma pixel along x and y.</summary>
    private static int SubsamplingOf(int x, int y) => (x, y) switch
    {
        (1, 1) => 0,
        (2, 1) => 1,
        (2, 2) => 2,
        (1, 2) => 4,
        (4, 1) => 5,
        _ => throw new ArgumentOutOfRangeException(nameof(x), $"JPEG has no chroma of {x} × {y} pixels."),
    };
}
