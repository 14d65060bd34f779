using Dunlin.Agent.Commands;
using Dunlin.Agent.Configuration;
using Dunlin.TestKit;

namespace Dunlin.Agent.Tests.Commands;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class ServiceReachTests
{
    [Theory]
    [InlineData("/home/me/bundle", "/home")]
    [InlineData("/tmp/frames", "/tmp")]
    [InlineData("/srv/../root/device.key", "/root")]
    [InlineData("/run/user/1000/bundle", "/run/user")]
    [InlineData("/homes/bundle", null)]
    [InlineData("/etc/dunlin/device.key", null)]
    public void FoldersThatTheUnitHidesAreNamed(string path, string? hidden) => Assert.Equal(hidden, ServiceReach.HiddenFolderOf(path));

    [Fact]
    public void ALinkIntoAHiddenFolderIsOne()
    {
        using var folder = new TemporaryFolder();
        var link = Path.Combine(folder.Path, "bundle");
        File.CreateSymbolicLink(link, "/home/me/bundle");
        Assert.Equal("/home", ServiceReach.HiddenFolderOf(link));
    }

    /// <summary>Debian's <c>daemon</c> in the place of the service's user.</summary>
    [Theory]
    [InlineData(UnixFileMode.UserRead, false)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.OtherRead, true)]
    public async Task AKeyForRootAloneIsNotForTheService(UnixFileMode mode, bool isReadable)
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("Only root may look as somebody else.");
        using var folder = new TemporaryFolder();
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_101_101);
        var key = folder.File("device.key", []);
        File.SetUnixFileMode(key, mode);
        Assert.Equal(isReadable, await ServiceReach.IsReadableAsync(key, "daemon", TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("ina219")]
    [InlineData("ina236")]
    public void TheBusOfTheMeterIsAmongWhatTheServiceMustReach(string kind)
    {
        var bus = ServiceReach.FilesOf(AgentOptions.Load(null, [$"Power:Kind={kind}", "Power:I2cBus=251"])).Single(file => file.Path == "/dev/i2c-251");
        Assert.Contains("adduser dunlin i2c", bus.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0b111_000_000, false)]
    [InlineData(0b111_100_100, false)]
    [InlineData(0b111_101_101, true)]
    public async Task AFolderMustBeEnteredToo(int mode, bool isReadable)
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("Only root may look as somebody else.");
        using var folder = new TemporaryFolder();
        File.SetUnixFileMode(folder.Path, (UnixFileMode)mode);
        Assert.Equal(isReadable, await ServiceReach.IsReadableAsync(folder.Path, "daemon", TestContext.Current.CancellationToken));
    }
}
