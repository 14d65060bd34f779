using Dunlin.Contracts.Artifacts;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;

namespace Dunlin.Optimizer.Data;

/// <summary>One labelled image, read when it is needed.</summary>
/// <param name="Name">Where it lies in its data set, with slashes; unlike any other's.</param>
/// <param name="ClassName">As the data set writes it.</param>
/// <param name="IsTest">The data set's authors set it aside for the final test.</param>
internal abstract record ImageSample(string Name, string ClassName, bool IsTest)
{
    /// <summary>Reads it as a camera would deliver it: JPEG undecoded, all else as RGB.</summary>
    /// <returns>Why it cannot be read; null if it could.</returns>
    public abstract string? Read(FrameBuffer frame);

    /// <summary>Of the stored bytes; null if they cannot be read.</summary>
    public abstract Digest? Content();

    /// <summary>
    /// The same of what may be decoded: null also for a file of another format, of a kind that is not decoded, or without an end. Nothing is
    /// decoded for it, so that damage within an image is not seen.
    /// </summary>
    public virtual Digest? SoundContent() => Content();

    /// <summary>Why preprocessing refuses what was read.</summary>
    public static string Words(FrameStatus status) => status switch
    {
        FrameStatus.TooLarge => "too many pixels",
        FrameStatus.Corrupt => "damaged JPEG",
        FrameStatus.Unsupported => "JPEG of a kind that is not decoded (CMYK, 12-bit, lossless or arithmetic-coded); save it as 8-bit RGB or gray",
        _ => status.ToString(),
    };
}

/// <summary>A JPEG or PNG file; which of them, its first bytes say.</summary>
internal sealed record FileSample(string Name, string ClassName, string Path) : ImageSample(Name, ClassName, IsTest: false)
{
    /// <summary>Larger files are no photographs.</summary>
    private const long MaximumByteCount = 256L << 20;

    public override string? Read(FrameBuffer frame)
    {
        if (Bytes(out var why) is not { } bytes) return why;
        if (bytes.Length == 0) return "empty";
        if (PngFrame.HasMagic(bytes)) return PngFrame.Decode(bytes, frame);
        if (bytes is not [0xFF, 0xD8, 0xFF, ..]) return "neither JPEG nor PNG";
        frame.Format = PixelFormat.Jpeg;
        (frame.Width, frame.Height, frame.Stride) = (0, 0, 0);
        bytes.CopyTo(frame.Resize(bytes.Length));
        return null;
    }

    public override Digest? Content() => Bytes(out _) is { } bytes ? Digest.Of(bytes) : null;

    public override Digest? SoundContent() => Bytes(out _) is { } bytes && IsSound(bytes) ? Digest.Of(bytes) : null;

    private static ReadOnlySpan<byte> EndOfJpeg => [0xFF, 0xD9];

    // Cameras write more after the end.
    private static bool IsSound(ReadOnlySpan<byte> bytes) =>
        PngFrame.HasMagic(bytes) ? bytes.LastIndexOf("IEND"u8) >= 0 : JpegHeader.TryRead(bytes, out _) && bytes.LastIndexOf(EndOfJpeg) >= 0;

    private byte[]? Bytes(out string? why)
    {
        try
        {
            why = null;
            if (new FileInfo(Path).Length <= MaximumByteCount) return File.ReadAllBytes(Path);
            why = $"over {MaximumByteCount >> 20} MiB";
        }
        catch (FileNotFoundException)
        {
            why = "no such file";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            why = error.Message;
        }

        return null;
    }
}

/// <summary>A gray image of a data set in memory.</summary>
internal sealed record MemorySample(string Name, string ClassName, bool IsTest, LabelledImages Images, int Index) : ImageSample(Name, ClassName, IsTest)
{
    public override string? Read(FrameBuffer frame)
    {
        var gray = Images.Image(Index);
        frame.Format = PixelFormat.Rgb24;
        (frame.Width, frame.Height, frame.Stride) = (Images.Width, Images.Height, 3 * Images.Width);
        var rgb = frame.Resize(3 * gray.Length);
        for (var i = 0; i < gray.Length; i++) rgb.Slice(3 * i, 3).Fill(gray[i]);
        return null;
    }

    public override Digest? Content() => Digest.Of(Images.Image(Index));
}
