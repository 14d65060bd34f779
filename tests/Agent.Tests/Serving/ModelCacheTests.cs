using Dunlin.Agent.Serving;
using Dunlin.Agent.Tests.Children;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Sessions;
using Dunlin.TestKit;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Agent.Tests.Serving;

public sealed class ModelCacheTests : IDisposable
{
    private static readonly Digest Key = Digest.Of("key"u8);

    private readonly TemporaryFolder _folder = new();
    private readonly ModelCache _cache;
    private readonly SessionSpec _spec;

    public ModelCacheTests()
    {
        _cache = new ModelCache(Path.Combine(_folder.Path, "cache"));
        _cache.Recover();
        _spec = TestChildren.Session(_folder, OnnxModels.Tiny());
    }

    [Fact]
    public void WhatAHeatHasSavedIsFoundAgainByAnother()
    {
        Save();
        var found = new ModelCache(_cache.Root).Find(Key, _spec);
        Assert.True(found?.Saved);
        Assert.Equal(SavedModel.GraphPath(Path.Combine(_cache.Root, Key.Hex)), found!.ModelPath);
        Assert.Null(_cache.Find(Digest.Of("other"u8), _spec));
    }

    [Fact]
    public void AFolderThatIsGoneHoldsNothingToRemove()
    {
        Directory.Delete(_cache.Root, recursive: true);
        _cache.KeepOnly(new HashSet<Digest>());
        Save();
        Assert.NotNull(_cache.Find(Key, _spec));
    }

    [Theory]
    [InlineData(SavedModel.GraphFile)]
    [InlineData(SavedModel.WeightsFile)]
    public void AChangedFileIsNotFound(string file)
    {
        Save();
        File.AppendAllText(Path.Combine(_cache.Root, Key.Hex, file), "x");
        Assert.Null(_cache.Find(Key, _spec));
    }

    [Fact]
    public void AMissingFileOrHashIsNotFoundAndAnotherSaveTakesItsPlace()
    {
        Save();
        File.Delete(Path.Combine(_cache.Root, Key.Hex, SavedModel.WeightsFile));
        Assert.Null(_cache.Find(Key, _spec));
        Save();
        Assert.NotNull(_cache.Find(Key, _spec));
        File.Delete(Path.Combine(_cache.Root, Key.Hex + ".sha256"));
        Assert.Null(_cache.Find(Key, _spec));
    }

    [Fact]
    public void WhatAnInterruptedHeatLeftIsRemovedAtTheStart()
    {
        var begun = Begin();
        Save();
        _cache.Recover();
        Assert.False(Directory.Exists(begun));
        Assert.NotNull(_cache.Find(Key, _spec));
    }

    [Fact]
    public void MoreOrLessThanTheTwoFilesIsRefused()
    {
        var more = Begin();
        File.WriteAllText(Path.Combine(more, "more"), "x");
        Assert.Throws<InvalidDataException>(() => _cache.Commit(Key, more, _spec));
        var less = Begin();
        File.Delete(Path.Combine(less, SavedModel.WeightsFile));
        Assert.Throws<InvalidDataException>(() => _cache.Commit(Key, less, _spec));
        Assert.Null(_cache.Find(Key, _spec));
    }

    [Fact]
    public void ALinkInsteadOfAFileIsRefused()
    {
        var begun = Begin();
        var weights = Path.Combine(begun, SavedModel.WeightsFile);
        File.Delete(weights);
        File.CreateSymbolicLink(weights, "/etc/hostname");
        Assert.Throws<InvalidDataException>(() => _cache.Commit(Key, begun, _spec));
    }

    [Fact]
    public void WhatIsNotKeptGoesWithItsHash()
    {
        Save();
        _cache.KeepOnly(new HashSet<Digest> { Key });
        Assert.NotNull(_cache.Find(Key, _spec));
        _cache.KeepOnly(new HashSet<Digest>());
        Assert.Empty(Directory.EnumerateFileSystemEntries(_cache.Root));
    }

    public void Dispose() => _folder.Dispose();

    private string Begin()
    {
        var begun = _cache.Begin();
        foreach (var file in SavedModel.Files(begun)) File.WriteAllText(file, "content");
        return begun;
    }

    private void Save() => Assert.True(_cache.Commit(Key, Begin(), _spec).Saved);
}
