using Dunlin.Runtime.Preprocessing;

namespace Dunlin.Agent.Worker;

/// <summary>Why frames are corrupt, in words that go on after "none can be decoded:".</summary>
internal static class Refusal
{
    public static string Of(FrameStatus status) => status switch
    {
        FrameStatus.Empty => "they have no bytes; look at the camera and its cable",
        FrameStatus.NotJpeg => "they are no JPEG; set the camera, or the program that delivers its frames, to JPEG",
        FrameStatus.Corrupt => "they are cut or damaged; save one, and 'dunlin-agent classify' says what is wrong with it",
        FrameStatus.Unsupported => "they are JPEGs of a kind that no camera sends (CMYK, 12-bit, lossless or arithmetic-coded); let the program that delivers them write 8-bit RGB or gray",
        FrameStatus.TooLarge =>
            $"they claim more than {JpegLimits.Default.MaximumPixelCount} pixels (progressive: {JpegLimits.Default.MaximumBufferedPixelCount}); set Camera:Width and Camera:Height, or the camera itself, to less",
        FrameStatus.WrongLength => "they have more or fewer bytes than their width and height need; look for another driver, or let the camera send JPEG",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "This is no reason to refuse a frame."),
    };
}
