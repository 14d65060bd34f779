using System.Text.Json.Serialization;
using Dunlin.Contracts.Artifacts;
using Dunlin.Optimizer.Search;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Optimizer.Tests.Search;

public sealed class StudyTests : IDisposable
{
    private static readonly StudyRecipe Recipe = new(StudyRecipe.CurrentSchema, Digest.Of("model"u8), Digest.Of("split"u8), new Dictionary<string, string> { ["--seed"] = "1", ["--limit"] = "top1>=-1.0pt" });
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
    public void AFolderOfSomethingElseIsLeftAlone()
    {
        File.WriteAllText(Path.Combine(_folder, "thesis.txt"), "mine");
        Assert.Contains("holds no study", Assert.Throws<InvalidDataException>(Open).Message);
        Assert.Equal(["thesis.txt"], Directory.EnumerateFileSystemEntries(_folder).Select(Path.GetFileName));
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

    private Study Open() => Study.Open(_folder, Recipe, _time);

    private Measured Measure(Study study, string name, int number, int seconds) => study.Once(name, TestJson.Default.Measured, () =>
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        return new Measured(number);
    });
}

internal sealed record Measured(int Number);

[JsonSerializable(typeof(Measured))]
internal sealed partial class TestJson : JsonSerializerContext;
