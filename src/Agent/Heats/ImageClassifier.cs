using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Pipeline;
using Dunlin.Runtime.Preprocessing;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Agent.Heats;

/// <summary>Classifies JPEG files one after the other, through the preprocessing of the frame loop.</summary>
internal static class ImageClassifier
{
    private const long MaximumFileByteCount = 64 * 1024 * 1024;

    /// <summary>An image that cannot be read or decoded is an error of that image alone.</summary>
    /// <exception cref="ModelLoadException">The session could not be made.</exception>
    public static Classified Classify(Classify request, TimeProvider time)
    {
        using var session = ModelSession.Create(request.Session);
        using var input = session.CreateInput();
        using var preprocessor = new Preprocessor(request.Session.Input);
        var frame = new FrameBuffer { Format = PixelFormat.Jpeg };
        var best = new ClassScore[Math.Min(request.TopCount, session.ClassCount)];
        var images = new List<ClassifiedImage>();
        foreach (var path in request.Images)
        {
            var started = time.GetTimestamp();
            var error = Read(path, frame) ?? Preprocess(path, request.Session.Input, preprocessor, frame, input);
            var count = error is null ? TopScores.Select(session.Run(input), best) : 0;
            if (count < 0) error = $"The scores of '{path}' are not finite; the model is broken for this image.";
            images.Add(new ClassifiedImage
            {
                Image = path,
                Scores = best[..Math.Max(0, count)],
                LatencyMilliseconds = time.GetElapsedTime(started).TotalMilliseconds,
                Error = error,
            });
        }

        return new Classified { Images = images };
    }

    private static string? Read(string path, FrameBuffer frame)
    {
        try
        {
            using var file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            if (length > MaximumFileByteCount) return $"'{path}' has {length} bytes; an image has at most {MaximumFileByteCount}.";
            var content = frame.Resize((int)length);
            for (var read = 0; read < content.Length;)
            {
                var count = RandomAccess.Read(file, content[read..], read);
                if (count == 0) return $"'{path}' became shorter while it was read.";
                read += count;
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private static string? Preprocess(string path, InputSpec spec, Preprocessor preprocessor, FrameBuffer frame, ModelInput input)
    {
        var status = spec.ElementType == ElementType.UInt8 ? preprocessor.Process(frame, input.Bytes) : preprocessor.Process(frame, input.Floats);
        return status switch
        {
            FrameStatus.Ok => null,
            FrameStatus.Empty => $"'{path}' is empty.",
            FrameStatus.NotJpeg => $"'{path}' is no JPEG image; convert it to JPEG.",
            FrameStatus.TooLarge => TooLarge(path, frame.Content),
            FrameStatus.Unsupported => $"'{path}' is {JpegHeader.UndecodedKind(frame.Content) ?? "an unknown kind of"} JPEG image, which is not decoded; save it as 8-bit RGB or gray.",
            FrameStatus.Corrupt or FrameStatus.WrongLength => $"'{path}' is an incomplete or damaged JPEG image.",
            _ => throw new InvalidOperationException($"The frame status {status} is not known here."),
        };
    }

    private static string TooLarge(string path, ReadOnlySpan<byte> jpeg)
    {
        _ = JpegHeader.TryRead(jpeg, out var header);
        var limit = JpegLimits.Default.PixelCountOf(header);
        return $"The header of '{path}' claims {header.Width} × {header.Height} pixels; {(header.Buffered ? "a progressive image" : "an image")} may have {limit}. Make it smaller.";
    }
}
