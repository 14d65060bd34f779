using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Servers;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Agent.Tests.Updates.Fetching;

public sealed class KilledFetchTests
{
    [Fact]
    public async Task AProcessThatIsKilledInMidFetchGoesOnWithFivePercentLostAtMost()
    {
        const int size = 40_000_000;
        await using var nginx = await NginxServer.StartAsync();
        await using var link = new FaultyLink("127.0.0.1", nginx.Port) { Delay = TimeSpan.FromMilliseconds(10) };
        var blob = new SampleBlob(size);
        nginx.Put(blob.Hex, blob.Content);
        using var setup = new FetchSetup();
        var location = $"http://127.0.0.1:{link.Port}";
        for (var kill = 1; kill <= 3; kill++)
        {
            using var child = FetchChild.Start(setup.Layout.Root, location, size);
            await Eventually.TrueAsync(() => link.ByteCount >= kill * 10_000_000L, () => $"{kill * 10} MB came; so far {link.ByteCount}");
            child.Kill();
            await child.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(137, child.ExitCode);
            Assert.False(setup.Store.Has(blob.Blob));
        }
        using var last = FetchChild.Start(setup.Layout.Root, location, size);
        var said = await last.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Contains("fetch: success", said, StringComparison.Ordinal);
        Assert.True(setup.Store.IsWhole(blob.Blob));
        Assert.Empty(Directory.GetFiles(setup.Layout.Partial));
        Assert.InRange(link.ByteCount, size, size * 1.05);
    }

    [Theory]
    [InlineData("EIO", "", "fetch.disk-failed", 0)]
    [InlineData("ENOSPC", "", "fetch.no-space", 0)]
    [InlineData("EIO", "blobs/sha256", "fetch.disk-failed", 3)]
    public async Task AnFsyncErrorMeansFetchedAgainAndNeverTaken(string error, string path, string expected, int fetches)
    {
        Tool.SkipUnlessInstalled("strace");
        await using var nginx = await NginxServer.StartAsync();
        var blob = new SampleBlob(300_000);
        nginx.Put(blob.Hex, blob.Content);
        using var setup = new FetchSetup();
        string[] only = path.Length == 0 ? [] : ["-P", Path.Combine(setup.Layout.Root, path)];
        using var child = FetchChild.Start(setup.Layout.Root, nginx.Address, 300_000, ["-e", "trace=fsync", "-e", $"inject=fsync:error={error}", .. only]);
        var said = await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var trouble = await child.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        if (trouble.Contains("ptrace", StringComparison.Ordinal)) Assert.Skip($"strace may not trace here: {trouble}");
        Assert.Contains($"fetch: {expected}", said, StringComparison.Ordinal);
        Assert.False(setup.Store.Has(blob.Blob));
        Assert.Equal(fetches, nginx.AccessLog().Length);
        Assert.Empty(Directory.GetFiles(setup.Layout.Partial));
        Assert.Empty(Directory.GetFiles(setup.Layout.Blobs));
    }
}
