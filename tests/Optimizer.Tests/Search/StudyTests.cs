using System.Text;
using System.Text.Json.Serialization;
using Dunlin.Contracts.Artifacts;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Search;
using Dunlin.Optimizer.Tests.Data;
using Dunlin.Optimizer.Training;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Optimizer.Tests.Search;

public sealed class StudyTests : IDisposable
{
    private static readonly StudyRecipe Recipe = new(StudyRecipe.CurrentSchema, Digest.Of("model"u8), Digest.Of("split"u8), new Dictionary<string, string> { ["--seed"] = "1", ["--limit"] = "top1>=-1.0pt" }, ["a", "b"]);
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-study").FullName;
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void WhatIsRecordedIsNotMeasuredAgainAndItsTimeIsRemembered()
    {
        using (var study = Open()) Assert.Equal(7, Measure(study, "a", 7, seconds: 5).Number);
        using var again = Open();
        Assert.Equal(TimeSpan.FromSeconds(5), again.Elapsed);
        Assert.Equal(7, again.Once("a", TestJson.Default.Measured, () => throw new InvalidOperationException("measured")).Number);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(TimeSpan.FromSeconds(7), again.Elapsed);
    }

    [Fact]
    public void WhatWasSpentBeforeAnInterruptionCountsOnceHoweverOftenItGoesOn()
    {
        for (var run = 1; run <= 2; run++)
        {
            using var study = Open();
            Assert.Throws<OperationCanceledException>(() => study.Once<Measured>("a", TestJson.Default.Measured, () =>
            {
                _time.Advance(TimeSpan.FromSeconds(10));
                study.SaveProgress();
                _time.Advance(TimeSpan.FromSeconds(1));
                throw new OperationCanceledException();
            }));
            Assert.Null(study.Recorded("a", TestJson.Default.Measured));
        }

        using (var study = Open()) Measure(study, "a", 7, seconds: 5);
        using var last = Open();
        Assert.Equal((TimeSpan.FromSeconds(25), 7), (last.Elapsed, last.Recorded("a", TestJson.Default.Measured)!.Number));
    }

    [Fact]
    public void WhatIsNotFinalIsMeasuredAgainAndItsTimeIsRemembered()
    {
        using (var study = Open()) Measure(study, "a", 0, seconds: 5, m => m.Number > 0);
        using var again = Open();
        Assert.Equal(TimeSpan.FromSeconds(5), again.Elapsed);
        Assert.Equal(3, Measure(again, "a", 3, seconds: 2, m => m.Number > 0).Number);
        Assert.Equal(3, Measure(again, "a", 4, seconds: 0, m => m.Number > 0).Number);
        Assert.Equal(TimeSpan.FromSeconds(7), again.Elapsed);
    }

    [Fact]
    public void NoMeasurementIsMadeWithinAnother()
    {
        using var study = Open();
        Assert.Throws<InvalidOperationException>(() => study.Once("a", TestJson.Default.Measured, () => Measure(study, "b", 1, seconds: 0)));
    }

    [Fact]
    public void WhatFailedIsMeasuredAgain()
    {
        using var study = Open();
        Assert.Throws<IOException>(() => study.Once<Measured>("a", TestJson.Default.Measured, () => throw new IOException("full")));
        Assert.Equal(3, Measure(study, "a", 3, seconds: 0).Number);
    }

    [Fact]
    public void AnotherRecipeIsRefusedWithWhatChangedAndWhatToDo()
    {
        using (Open()) { }
        var message = Assert.Throws<InvalidDataException>(() => Study.Open(_folder, Recipe with
        {
            Model = Digest.Of("other"u8),
            Options = new Dictionary<string, string> { ["--seed"] = "2", ["--limit"] = "top1>=-1.0pt" },
        }, _time)).Message;
        Assert.Contains("the model was", message);
        Assert.Contains("--seed was 1, now 2", message);
        Assert.DoesNotContain("--limit", message);
        Assert.Contains("--work", message);
    }

    [Fact]
    public void AStudyGoesOnWithTheImagesThatItWasBegunWith()
    {
        var data = Path.Combine(_folder, "data");
        WriteImages(data, "first", 60);
        var model = Path.Combine(_folder, "net.onnx");
        ModelFile.Save(ResidualGraph.Build(new ResidualSpec([4], [1], StemStride: 2, ClassCount: 3), [1, 1, 8, 8], seed: 1), model);
        var arguments = SearchCommand.Create().Parse([model, "--data", data, "--out", Path.Combine(_folder, "out"), "--step", "4"]);
        SearchSetup Setup() => SearchSetup.Of(arguments, Path.Combine(_folder, "out"));
        static int[] Counts(SearchSetup s) => [s.HeldOut.Samples.Count, .. new[] { SplitPart.Train, SplitPart.Calibration, SplitPart.Search }.Select(s.Data.CountOf)];

        var begun = Setup();
        using (Study.Open(begun.Work, begun.Recipe, _time)) { }
        WriteImages(data, "later", 60);
        var resumed = Setup();
        Assert.Equal(Counts(begun), Counts(resumed));
        using (Study.Open(resumed.Work, resumed.Recipe, _time)) { }

        // Another study has them all.
        Directory.Move(begun.Work, begun.Work + ".old");
        Directory.CreateDirectory(begun.Work);
        File.Copy(Path.Combine(begun.Work + ".old", "split.json"), Path.Combine(begun.Work, "split.json"));
        Assert.Equal(2 * Counts(begun).Sum(), Counts(Setup()).Sum());
    }

    [Fact]
    public void AStudyWhoseImagesWereRelabelledOrRemovedIsRefused()
    {
        using var images = Stripes.Pixels(40);
        using (var study = Open()) study.RequireSameImages(images, images);
        using var again = Open();
        again.RequireSameImages(images, images);
        Assert.Contains("--work", Assert.Throws<InvalidDataException>(() => again.RequireSameImages(images.Take(39), images)).Message);
        using var relabelled = PixelSet.Read(Stripes.Samples(40), ClassMap.Of(new DataListing([], ["vertical", "diagonal", "horizontal"]), labels: null, 3), Stripes.Input, unreadableShare: 0, TestContext.Current.CancellationToken);
        Assert.Throws<InvalidDataException>(() => again.RequireSameImages(images, relabelled));
    }

    [Fact]
    public void AFolderOfSomethingElseIsLeftAlone()
    {
        File.WriteAllText(Path.Combine(_folder, "thesis.txt"), "mine");
        Assert.Contains("holds no study", Assert.Throws<InvalidDataException>(Open).Message);
        Assert.Equal(["thesis.txt"], Directory.EnumerateFileSystemEntries(_folder).Select(Path.GetFileName));
    }

    [Fact]
    public void WhatAKillLeftOfTheFirstFilesIsOfTheStudyAndNobodyElsesTemporaryFileIs()
    {
        string[] left = ["split.json.tmp", ".split.json.0a.tmp", ".study.json.0b.tmp"];
        foreach (var name in left) File.WriteAllText(Path.Combine(_folder, name), "half");
        using (Open()) Assert.Empty(Directory.EnumerateFiles(_folder, "*.tmp"));

        File.Delete(Path.Combine(_folder, "study.json"));
        File.WriteAllText(Path.Combine(_folder, "thesis.tmp"), "mine");
        Assert.Throws<InvalidDataException>(Open);
        Assert.True(File.Exists(Path.Combine(_folder, "thesis.tmp")));
    }

    [Fact]
    public void TwoProcessesDoNotWorkInOneStudy()
    {
        using (Open()) Assert.Contains("Another process", Assert.Throws<IOException>(Open).Message);
        using (Open()) { }
    }

    [Fact]
    public void WhatAKillLeftHalfWrittenIsRemoved()
    {
        using (Open()) File.WriteAllText(Path.Combine(_folder, "models", ".a.onnx.tmp"), "half");
        using (Open()) Assert.Empty(Directory.EnumerateFiles(Path.Combine(_folder, "models")));
    }

    [Fact]
    public void ADamagedRecordIsNamed()
    {
        using (var study = Open()) Measure(study, "a", 1, seconds: 0);
        File.WriteAllText(Path.Combine(_folder, "records", "a.json"), "{");
        Assert.Contains("a.json' is not a record of a study", Assert.Throws<InvalidDataException>(Open).Message);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // Only their names and contents count before any is read.
    private static void WriteImages(string folder, string name, int perClass)
    {
        foreach (var word in Stripes.ClassNames)
        {
            Directory.CreateDirectory(Path.Combine(folder, word));
            for (var i = 0; i < perClass; i++) File.WriteAllBytes(Path.Combine(folder, word, $"{name}{i}.png"), [0x89, .. Encoding.ASCII.GetBytes($"PNG\r\n\x1a\n{word} {name} {i} IEND")]);
        }
    }

    private Study Open() => Study.Open(_folder, Recipe, _time);

    private Measured Measure(Study study, string name, int number, int seconds, Func<Measured, bool>? isFinal = null) => study.Once(name, TestJson.Default.Measured, () =>
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        return new Measured(number);
    }, isFinal);
}

internal sealed record Measured(int Number);

[JsonSerializable(typeof(Measured))]
internal sealed partial class TestJson : JsonSerializerContext;
