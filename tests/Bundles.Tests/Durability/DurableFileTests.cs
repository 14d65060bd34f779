using Dunlin.Bundles.Durability;
using Dunlin.TestKit;

namespace Dunlin.Bundles.Tests.Durability;

public sealed class DurableFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AFileIsReplacedWholeAndLeavesNoTemporary()
    {
        DurableFile.Write(_folder["a"], "old and long"u8);
        DurableFile.Write(_folder["a"], "new"u8);
        Assert.Equal("new", File.ReadAllText(_folder["a"]));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void AFailedWriteLeavesTheOldFileAndNoTemporary()
    {
        Directory.CreateDirectory(_folder["a"]);
        Assert.ThrowsAny<Exception>(() => DurableFile.Write(_folder["a"], "x"u8));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
        Assert.Throws<DirectoryNotFoundException>(() => DurableFile.Write(_folder["absent/a"], "x"u8));
    }

    [Fact]
    public void WhatAKillLeftOfAFileInPiecesIsOverwritten()
    {
        File.WriteAllText(_folder["a" + DurableFile.TemporarySuffix], "half of something longer");
        DurableFile.Write(_folder["a"], file => file.Write("new"u8));
        Assert.Equal("new", File.ReadAllText(_folder["a"]));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void AFileThatMayNotBeReplacedStands()
    {
        File.WriteAllText(_folder["a"], "old");
        Assert.Throws<IOException>(() => DurableFile.Write(_folder["a"], file => file.Write("new"u8), overwrite: false));
        Assert.Equal("old", File.ReadAllText(_folder["a"]));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void ALinkIsMovedInOneStep()
    {
        Directory.CreateDirectory(_folder["releases/a"]);
        DurableFile.Link(_folder["active"], "releases/a");
        DurableFile.Link(_folder["active"], "releases/b");
        Assert.Equal("releases/b", new FileInfo(_folder["active"]).LinkTarget);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(_folder.Path), entry => entry.EndsWith(DurableFile.TemporarySuffix, StringComparison.Ordinal));
    }

    [Fact]
    public void FoldersAreMadeWithTheirParents()
    {
        DurableFile.CreateDirectory(_folder["a/b/c"]);
        DurableFile.CreateDirectory(_folder["a/b/c"]);
        Assert.True(Directory.Exists(_folder["a/b/c"]));
    }

    [Fact]
    public void DeletingWhatIsAbsentIsNoError()
    {
        DurableFile.Delete(_folder["absent"]);
        DurableFile.Write(_folder["a"], "x"u8);
        DurableFile.Delete(_folder["a"]);
        Assert.False(File.Exists(_folder["a"]));
    }

    [Fact]
    public void SyncingAFolderThatIsNoneSaysWhichAndWhy() =>
        Assert.Contains("errno 2", Assert.Throws<IOException>(() => DurableFile.SyncDirectory(_folder["absent"])).Message, StringComparison.Ordinal);
}
