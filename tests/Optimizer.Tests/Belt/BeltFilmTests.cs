using Dunlin.Optimizer.Belt;
using Dunlin.Optimizer.Tests.Data;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;

namespace Dunlin.Optimizer.Tests.Belt;

public sealed class BeltFilmTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-belt").FullName;

    [Fact]
    public void AGarmentRestsInTheWindowThenTheBeltMovesOn()
    {
        const int period = BeltFilm.RestingFrameCount + BeltFilm.MovingFrameCount;
        var resting = BeltFilm.Write(Stripes.Make(30), _folder, period * 2 + 3, seed: 1, TestContext.Current.CancellationToken);

        var names = Directory.GetFiles(_folder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(period * 2 + 3, names.Count);
        Assert.Equal(BeltFilm.RestingFrameCount * 2 + 3, resting);
        Assert.All(Enumerable.Range(0, names.Count), i =>
            Assert.Equal(i % period >= BeltFilm.RestingFrameCount, names[i].EndsWith("-moving.jpg", StringComparison.Ordinal)));
        Assert.Equal(BeltFilm.MovingFrameCount, names.Take(period).Select(Hash).Distinct().Count() - 1);
    }

    [Fact]
    public void TheWindowOfARestingFrameIsTheGarmentAgain()
    {
        var images = Stripes.Make(3);
        using var scene = new BeltScene(images);
        using var preprocessor = new Preprocessor(
            GarmentInput.Of("image", BeltScene.Window) with { Mean = [0], Scale = [1] });
        var frame = new FrameBuffer { Format = PixelFormat.Jpeg };
        var tensor = new float[784];
        for (var index = 0; index < images.Count; index++)
        {
            var jpeg = scene.Render(index, travel: 0);
            jpeg.CopyTo(frame.Resize(jpeg.Length));
            Assert.Equal(FrameStatus.Ok, preprocessor.Process(frame, tensor));
            var error = tensor.Zip(images.Image(index).ToArray(), (a, b) => Math.Abs(a - b)).Average();
            // Enlarging and shrinking softens the stripes by up to a quarter of their contrast.
            Assert.InRange(error, 0, 30);
        }
    }

    [Fact]
    public void TheSameSeedFilmsTheSameGarments()
    {
        var (first, second) = (Path.Combine(_folder, "a"), Path.Combine(_folder, "b"));
        foreach (var folder in new[] { first, second }) BeltFilm.Write(Stripes.Make(30), folder, 5, seed: 4, TestContext.Current.CancellationToken);
        Assert.Equal(Directory.GetFiles(first).Order().Select(File.ReadAllBytes), Directory.GetFiles(second).Order().Select(File.ReadAllBytes));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Hash(string name) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Path.Combine(_folder, name))));
}
