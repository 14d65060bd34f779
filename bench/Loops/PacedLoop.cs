using System.Diagnostics;
using Dunlin.Bench.Material;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;

namespace Dunlin.Bench.Loops;

/// <summary>
/// What frames at a fixed rate cost where nothing can spin: one thread that reads, decodes, infers and sleeps. As on a camera's
/// thread the caches are cold after each sleep, so that its CPU per frame is above that of the bare loop.
/// </summary>
internal static class PacedLoop
{
    public const string Verb = "paced-loop";

    public static async Task<LoopReport> RunAsync(string model, string frames, double framesPerSecond, TimeSpan warmUp, TimeSpan duration)
    {
        using var session = new BareSession(model, saved: true);
        using var preprocessor = new Preprocessor(MobileNet.Input);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1 / framesPerSecond));
        var images = Directory.GetFiles(frames).Order(StringComparer.Ordinal).ToArray();
        var frame = new FrameBuffer { Format = PixelFormat.Jpeg };
        var count = 0;
        await PlayAsync(warmUp);
        var (before, cpu, begin) = (count, Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        await PlayAsync(duration);
        var seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        return new LoopReport((count - before) / seconds, 1000 * (Environment.CpuUsage.TotalTime - cpu).TotalSeconds / (count - before));

        async Task PlayAsync(TimeSpan time)
        {
            for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < time; count++)
            {
                await timer.WaitForNextTickAsync();
                using (var jpeg = File.OpenHandle(images[count % images.Length])) RandomAccess.Read(jpeg, frame.Resize((int)RandomAccess.GetLength(jpeg)), 0);
                if (preprocessor.Process(frame, session.Pixels) != FrameStatus.Ok) throw new InvalidDataException($"A frame of '{frames}' cannot be decoded; delete the folder, it is made again.");
                session.Run();
            }
        }
    }
}
