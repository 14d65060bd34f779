using Dunlin.Bundles.Durability;
using Dunlin.TestKit;

namespace Dunlin.Bundles.Tests.Durability;

public sealed class DurableFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AFolderThatCouldNotBeFilledLeavesNothing()
    {
        Assert.Throws<FileNotFoundException>(() => DurableFolder.Write(_folder["parent/models"], folder =>
        {
            DurableFile.Write(Path.Combine(folder, "a"), "x"u8);
            DurableFile.Copy(_folder["absent"], Path.Combine(folder, "b"));
        }));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["parent"]));
    }

    [Fact]
    public void AnEmptyFolderIsReplacedByTheWholeOne()
    {
        Directory.CreateDirectory(_folder["parent/models"]);
        DurableFolder.Write(_folder["parent/models"] + "/", folder => DurableFile.Write(Path.Combine(folder, "a"), "x"u8));
        Assert.Equal("x", File.ReadAllText(_folder["parent/models/a"]));
        Assert.Single(Directory.EnumerateFileSystemEntries(_folder["parent"]));
    }
}
