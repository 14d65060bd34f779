using System.Text;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Data;
using Dunlin.Optimizer.Tests.Training;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Tests;

/// <summary>Data that a person must put right: each verb that learns says what is wrong, and writes no model.</summary>
public sealed class BadDataTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-bad").FullName;

    public BadDataTests()
    {
        Pictures.WriteFolders(Images, perClass: 140);
        Save("net.onnx", classCount: 3);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Images => At("images");

    [Fact]
    public async Task LabelsThatDoNotMatchTheOutputs()
    {
        await File.WriteAllTextAsync(At("two.txt"), "red\ngreen\n", Stop);
        await File.WriteAllTextAsync(At("others.txt"), "rot\ngreen\nblue\n", Stop);
        await Refused("There are 2 labels, but the model has 3 outputs", "--labels", At("two.txt"));
        await Refused("first 'red'", "--labels", At("others.txt"));
    }

    [Fact]
    public async Task FewerClassesThanOutputsAreFineOnlyWithLabels()
    {
        Directory.Delete(Path.Combine(Images, "red"), recursive: true);
        await Refused("2 classes (blue, green…), but the model has 3 outputs");
        await File.WriteAllTextAsync(At("labels.txt"), "red\ngreen\nblue\n", Stop);
        await CommandRun.Of("split", "--data", Images, "--out", At("split.json"), "--shares", "40,20,20,20");
        var (code, output, error) = await CommandRun.Of(Line("--labels", At("labels.txt")));
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("56 images", output);
    }

    [Fact]
    public async Task AnEmptyClass()
    {
        Directory.CreateDirectory(Path.Combine(Images, "yellow"));
        await Refused("Class 'yellow'");
    }

    [Fact]
    public async Task TooFewImagesToCalibrate()
    {
        await CommandRun.Of("split", "--data", Images, "--out", At("split.json"), "--shares", "82,2,8,8");
        await Refused(" calibration images;", "--split", At("split.json"));
        await CommandRun.Of("split", "--data", Images, "--out", At("few.json"), "--shares", "40,40,2,18");
        await Refused(" search images;", "--split", At("few.json"), "--limit", "-1pt");
        Assert.Equal(0, (await CommandRun.Of(Line("--split", At("few.json")))).Code);
    }

    [Fact]
    public async Task UnreadableImagesBeyondTheLimit()
    {
        SpoilSixty(file => Encoding.UTF8.GetBytes($"no picture {Path.GetFileName(file)}"));
        await Refused("--max-unreadable");
        Assert.Contains("They are left out", (await CommandRun.Of(Line("--max-unreadable", "0.5"))).Error);
    }

    [Fact]
    public async Task UnreadableImagesMayBeMendedOrRemovedAsTheErrorSays()
    {
        var spoilt = SpoilSixty(file => [.. File.ReadAllBytes(file).Take(60)]);
        await Refused("--max-unreadable");
        Assert.True(File.Exists(At("split.json")));
        foreach (var file in spoilt.Take(30)) File.Delete(file);
        foreach (var file in spoilt.Skip(30)) Pictures.Write(file, Pictures.Green, width: 200 + spoilt.IndexOf(file));
        var (code, _, error) = await CommandRun.Of(Line());
        Assert.Equal((0, ""), (code, error));
    }

    [Fact]
    public async Task ASplitWhoseImagesAreGone()
    {
        await CommandRun.Of("split", "--data", Images, "--out", At("split.json"));
        File.Delete(Path.Combine(Images, "blue", "7.png"));
        await Refused("1 images of the split are gone or have changed, first 'blue/7.png'", "--split", At("split.json"));
    }

    [Fact]
    public async Task ALossThatIsNoNumberAnyMore()
    {
        Torch.Require();
        var (code, _, error) = await CommandRun.Of(
            "train", "--data", Images, "--out", At("new.onnx"), "--input-shape", "1x3x8x8", "--widths", "4", "--std", "1e-38", "--batch-size", "16", "--threads", "1");
        Assert.Equal(1, code);
        Assert.Contains("lower --learning-rate", error);
        Assert.False(File.Exists(At("new.onnx")));
    }

    [Fact]
    public void ASplitOfImagesNoneOfWhichCanBeRead()
    {
        File.WriteAllText(At("photos.csv"), "file,label\na.jpg,cat\nb.jpg,dog\n");
        Assert.Contains("first 'a.jpg'", Assert.Throws<InvalidDataException>(() => DataSplit.Make(DataListing.Open(At("photos.csv")), 1, SplitShares.Default)).Message);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    private List<string> SpoilSixty(Func<string, byte[]> content)
    {
        var files = Directory.EnumerateFiles(Path.Combine(Images, "green"), "*.png").Order(StringComparer.Ordinal).Take(60).ToList();
        foreach (var file in files) File.WriteAllBytes(file, content(file));
        return files;
    }

    private void Save(string name, int classCount) =>
        ModelFile.Save(ResidualGraph.Build(new ResidualSpec([4], [1], StemStride: 2, classCount), [1, 3, 8, 8], seed: 1), At(name));

    private string[] Line(params string[] more) => ["quantize", At("net.onnx"), "--data", Images, "--out", At("q.onnx"), .. more];

    // By a step and by all of them, neither of which begins anything.
    private async Task Refused(string expected, params string[] more)
    {
        foreach (var line in (string[][])[Line(more), ["optimize", At("net.onnx"), "--data", Images, "--out", At("bundle"), "--budget", "16steps", .. more]])
        {
            var (code, _, error) = await CommandRun.Of(line);
            Assert.True(code == 1 && error.Contains(expected, StringComparison.Ordinal), $"{line[0]}: {code} {error}");
            Assert.False(File.Exists(At("q.onnx")) || Directory.Exists(At("bundle")));
        }
    }
}
