using System.Globalization;
using Dunlin.Optimizer.Data;

namespace Dunlin.Optimizer.Belt;

/// <summary>The belt's frames in order: it stops with a garment in the window, moves on smoothly, and stops again.</summary>
internal static class BeltFilm
{
    /// <summary>Frames that a garment rests in the window.</summary>
    public const int RestingFrameCount = 12;

    /// <summary>Frames from one garment to the next.</summary>
    public const int MovingFrameCount = 6;

    /// <summary>
    /// Writes frames that sort by name in time: <c>000012-sneaker.jpg</c> while a garment is in the window,
    /// <c>000024-moving.jpg</c> between two.
    /// </summary>
    /// <returns>How many frames show a garment at rest.</returns>
    public static int Write(LabelledImages images, string folder, int frameCount, int seed, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var order = Enumerable.Range(0, images.Count).ToArray();
        new Random(seed).Shuffle(order);
        using var scene = new BeltScene(images.Select(order));
        var resting = 0;
        byte[] rest = [];
        for (var number = 0; number < frameCount; number++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (garment, phase) = Math.DivRem(number, RestingFrameCount + MovingFrameCount);
            var moving = phase >= RestingFrameCount;
            if (phase == 0) rest = scene.Render(garment % images.Count, travel: 0);
            var jpeg = moving ? scene.Render(garment % images.Count, Eased((phase - RestingFrameCount + 1.0) / (MovingFrameCount + 1))) : rest;
            var what = moving ? "moving" : Class(images, order[garment % images.Count]);
            File.WriteAllBytes(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{number:d6}-{what}.jpg")), jpeg);
            if (!moving) resting++;
        }

        return resting;
    }

    private static string Class(LabelledImages images, int index) =>
        images.ClassNames[images.Labels[index]].Replace(' ', '-');

    private static double Eased(double t) => t * t * (3 - 2 * t);
}
