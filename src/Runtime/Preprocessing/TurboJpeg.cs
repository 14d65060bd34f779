using System.Runtime.InteropServices;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>The TurboJPEG 2 API of libturbojpeg.so.0, which TurboJPEG 3 keeps.</summary>
internal static partial class TurboJpeg
{
    public const string Library = "libturbojpeg.so.0";

    public const int PixelFormatRgb = 0;
    public const int PixelFormatGray = 6;
    public const int ColourSpaceYcbcr = 1;
    public const int ColourSpaceGray = 2;

    /// <summary>TJERR_WARNING: the image was decoded, with something to remark.</summary>
    public const int Warning = 0;

    /// <summary>TJFLAG_LIMITSCANS: more than 500 scans of a progressive image are an error.</summary>
    public const int LimitScans = 32768;

    /// <summary>TJFLAG_NOREALLOC: the buffer for what is encoded is ours, of <see cref="BufferSize"/>.</summary>
    public const int NoReallocation = 1024;

    [LibraryImport(Library, EntryPoint = "tjInitDecompress")]
    public static partial nint InitDecompress();

    [LibraryImport(Library, EntryPoint = "tjInitCompress")]
    public static partial nint InitCompress();

    /// <summary>Bytes that an encoded image has at most.</summary>
    [LibraryImport(Library, EntryPoint = "tjBufSize")]
    public static partial nuint BufferSize(int width, int height, int subsampling);

    [LibraryImport(Library, EntryPoint = "tjDestroy")]
    public static partial int Destroy(nint handle);

    /// <summary>Of the last call that did not return 0.</summary>
    [LibraryImport(Library, EntryPoint = "tjGetErrorCode")]
    public static partial int ErrorCode(nint handle);

    /// <summary>Null-terminated; of several warnings the first.</summary>
    [LibraryImport(Library, EntryPoint = "tjGetErrorStr2")]
    public static unsafe partial byte* ErrorText(nint handle);

    [LibraryImport(Library, EntryPoint = "tjDecompressHeader3")]
    public static unsafe partial int DecompressHeader(
        nint handle, byte* jpeg, nuint length, out int width, out int height, out int subsampling, out int colourSpace);

    [LibraryImport(Library, EntryPoint = "tjDecompress2")]
    public static unsafe partial int Decompress(
        nint handle, byte* jpeg, nuint length, byte* pixels, int width, int pitch, int height, int pixelFormat, int flags);

    [LibraryImport(Library, EntryPoint = "tjDecompressToYUVPlanes")]
    public static unsafe partial int DecompressToPlanes(
        nint handle, byte* jpeg, nuint length, byte** planes, int width, int* strides, int height, int flags);

    [LibraryImport(Library, EntryPoint = "tjCompress2")]
    public static unsafe partial int Compress(
        nint handle, byte* pixels, int width, int pitch, int height, int pixelFormat, byte** jpeg, nuint* length, int subsampling, int quality, int flags);

    [LibraryImport(Library, EntryPoint = "tjCompressFromYUVPlanes")]
    public static unsafe partial int CompressFromPlanes(
        nint handle, byte** planes, int width, int* strides, int height, int subsampling, byte** jpeg, nuint* length, int quality, int flags);
}
