using Dunlin.Agent.Children;
using Dunlin.Contracts.Worker;
using Dunlin.TestKit;
using Dunlin.TestKit.Samples;

namespace Dunlin.Agent.Tests.Children;

public sealed class CameraFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Source => Path.Combine(_folder.Path, "camera");

    [Fact]
    public void AFolderThatComesLaterIsOutOfReachWhileTheWorkerMissesIt()
    {
        var folder = Watched();
        folder.Observe(SampleMessages.Camera with { State = "absent" });
        Assert.False(folder.IsOutOfReach);
        Directory.CreateDirectory(Source);
        Assert.True(folder.IsOutOfReach);
        folder.Observe(SampleMessages.Camera);
        Assert.False(folder.IsOutOfReach);
    }

    [Fact]
    public void AFolderThatIsOnlyEmptyIsWithinReach()
    {
        Directory.CreateDirectory(Source);
        var folder = Watched();
        folder.Observe(SampleMessages.Camera with { State = "absent" });
        File.WriteAllText(Path.Combine(Source, "note.txt"), "no image");
        Assert.False(folder.IsOutOfReach);
    }

    [Fact]
    public void AFolderThatWasDeletedAndMadeAnewIsOutOfReach()
    {
        for (var i = 0; i < 20; i++)
        {
            Directory.CreateDirectory(Source);
            var folder = Watched();
            Directory.Delete(Source);
            folder.Observe(SampleMessages.Camera with { State = "absent" });
            Assert.False(folder.IsOutOfReach);
            Directory.CreateDirectory(Source);
            Assert.True(folder.IsOutOfReach);
        }
    }

    public void Dispose() => _folder.Dispose();

    private CameraFolder Watched() => new(new CameraSpec { Kind = CameraKind.Folder, Source = Source });
}
