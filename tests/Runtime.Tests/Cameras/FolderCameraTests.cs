using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Cameras;
using Dunlin.TestKit.Logs;

namespace Dunlin.Runtime.Tests.Cameras;

public sealed class FolderCameraTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-folder-").FullName;
    private readonly Lines<FolderCamera> _log = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void ImagesComeInTheOrderOfTheirNamesEachExactlyOnceAndOtherFilesAreLeftOut()
    {
        for (var index = 0; index < 30; index++) Put($"{index:00}.jpg", index);
        File.WriteAllText(Path.Combine(_folder, "05-notes.jpg"), "no image at all");
        using var camera = Start(isUnpaced: true, repeat: false);
        for (var index = 0; index < 30; index++) Assert.Equal(Image(index), camera.Next());
        Assert.Null(camera.Next());
        Assert.Equal((30, 0), (camera.Slot.CapturedCount, camera.Slot.DroppedCount));
    }

    [Fact]
    public void WhatAppearsVanishesOrChangesShowsInTheNextRounds()
    {
        Put("a.jpg", 1);
        Put("b.jpg", 2);
        using var camera = Start(rate: 200);
        UntilFrame(camera, Image(2));
        File.Delete(Path.Combine(_folder, "b.jpg"));
        Put("a.jpg", 3);
        Put("c.jpg", 4);
        UntilFrame(camera, Image(4));
        UntilFrame(camera, Image(3));
    }

    [Fact]
    public void AMissingFolderIsAbsentUntilItHasImages()
    {
        var folder = Path.Combine(_folder, "later");
        using var camera = Start(folder: folder);
        Assert.Contains("does not exist", camera.Until(health => health.State == "absent").Detail, StringComparison.Ordinal);
        Directory.CreateDirectory(folder);
        camera.Until(health => health.Detail?.Contains("no JPEG", StringComparison.Ordinal) == true);
        File.WriteAllBytes(Path.Combine(folder, "a.jpg"), Image(1));
        Assert.Equal(Image(1), camera.Next());
        var health = camera.Until(health => health.State == "ok");
        Assert.Equal(("jpeg", null, 30), (health.Format, health.Detail, health.ExpectedFramesPerSecond));
        Assert.Equal(3, _log.All.Count);
    }

    [Fact]
    public void TheRateIsTheOneAskedFor()
    {
        Put("a.jpg", 1);
        using var camera = Start(rate: 50);
        var frames = new List<long>();
        while (frames.Count < 60)
        {
            var frame = camera.Slot.Take(TestContext.Current.CancellationToken)!;
            Assert.Equal(frames.Count, frame.Number - camera.Slot.DroppedCount);
            frames.Add(frame.CapturedNanoseconds);
            camera.Slot.Return(frame);
        }

        // A loaded machine may skip turns, but never sends faster.
        Assert.InRange((frames[^1] - frames[0]) / 59e6, 18, 40);
    }

    private CameraSpec Spec(string? folder, double rate, bool isUnpaced, bool repeat) => new()
    {
        Kind = CameraKind.Folder,
        Source = folder ?? _folder,
        FramesPerSecond = rate,
        Unpaced = isUnpaced,
        Repeat = repeat,
    };

    private RunningCamera Start(string? folder = null, double rate = 30, bool isUnpaced = false, bool repeat = true) =>
        new(Camera.Open(Spec(folder, rate, isUnpaced, repeat), TimeProvider.System, _log));

    private static void UntilFrame(RunningCamera camera, byte[] image)
    {
        for (var frame = 0; frame < 2000; frame++) if (camera.Next()!.AsSpan().SequenceEqual(image)) return;
        Assert.Fail("The image never came.");
    }

    private void Put(string name, int seed) => File.WriteAllBytes(Path.Combine(_folder, name), Image(seed));

    private static byte[] Image(int seed) => TinyJpeg.Make(200, seed);
}
