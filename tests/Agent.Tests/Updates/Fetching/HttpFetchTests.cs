using Dunlin.Agent.Configuration;
using Dunlin.Agent.Updates.Fetching;
using Dunlin.Contracts.Artifacts;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Servers;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Agent.Tests.Updates.Fetching;

public sealed class HttpFetchTests
{
    [Fact]
    public async Task BlobsComeFromALayoutFolderOnceEachWhateverTheOrder()
    {
        await using var nginx = await NginxServer.StartAsync();
        using var setup = new FetchSetup();
        SampleBlob[] blobs = [new(1), new(65536, 2), new(65537, 3), new(3_000_000, 4)];
        foreach (var blob in blobs) nginx.Put(blob.Hex, blob.Content);
        var wanted = blobs.Select(b => b.Blob).Append(blobs[0].Blob).ToList();
        var result = await setup.FetchAsync(wanted, FetchSetup.Http(nginx.Address + "/"));
        Assert.True(result.IsSuccess, result.Detail);
        var total = blobs.Sum(b => b.Blob.Size);
        Assert.Equal(total, setup.ReceivedByteCount);
        Assert.Equal((total, total), (setup.Progress[^1].StoredByteCount, setup.Progress[^1].TotalByteCount));
        // nginx logs an answer once it has sent it.
        await Eventually.TrueAsync(() => nginx.AccessLog().Length == blobs.Length, "each blob is asked for once");
        Assert.True((await setup.FetchAsync(wanted, FetchSetup.Http(nginx.Address))).IsSuccess);
        Assert.Equal(blobs.Length, nginx.AccessLog().Length);
    }

    [Fact]
    public async Task ALargeBlobFromAServerThatKnowsNoRangesComesOnce()
    {
        // More chunks than one request asks for.
        var blob = new SampleBlob(1100 * Blob.StandardChunkSize);
        await using var server = new ScriptedServer(async (_, stream, cancellationToken) =>
        {
            await ScriptedServer.HeadAsync(stream, $"200 OK\r\nContent-Length: {blob.Content.Length}", cancellationToken);
            await stream.WriteAsync(blob.Content, cancellationToken);
        });
        using var setup = new FetchSetup();
        await setup.SucceedAsync(blob, FetchSetup.Http(server.Address));
        Assert.Single(server.Requests);
        Assert.Equal(blob.Content.Length, setup.ReceivedByteCount);
    }

    [Fact]
    public async Task ARottenBlobIsFetchedAgain()
    {
        await using var nginx = await NginxServer.StartAsync();
        using var setup = new FetchSetup();
        var blob = new SampleBlob(200_000);
        nginx.Put(blob.Hex, blob.Content);
        await File.WriteAllBytesAsync(setup.Layout.Blob(blob.Blob.Digest), new byte[200_000], TestContext.Current.CancellationToken);
        await setup.SucceedAsync(blob, FetchSetup.Http(nginx.Address));
        Assert.Contains(setup.Log.All, line => line.Contains("corrupt", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ALinkThatIsCutEvery200KilobytesCostsFivePercentAtMost()
    {
        await using var nginx = await NginxServer.StartAsync();
        await using var link = new FaultyLink("127.0.0.1", nginx.Port) { CutAfterByteCount = 200_000 };
        using var setup = new FetchSetup();
        var blob = new SampleBlob(8_000_000);
        nginx.Put(blob.Hex, blob.Content);
        await setup.SucceedAsync(blob, FetchSetup.Http($"http://127.0.0.1:{link.Port}"));
        Assert.InRange(link.ConnectionCount, 40, 60);
        Assert.InRange(link.ByteCount, 8_000_000, 8_400_000);
    }

    [Fact]
    public async Task AnEtagThatChangesInMidChunkStartsTheChunkAgain()
    {
        await using var nginx = await NginxServer.StartAsync();
        await using var link = new FaultyLink("127.0.0.1", nginx.Port) { CutAfterByteCount = 250_000 };
        using var setup = new FetchSetup();
        var blob = new SampleBlob(1_000_000);
        var path = nginx.Put(blob.Hex, blob.Content);
        var cuts = 0;
        var result = await setup.Fetcher.FetchAsync([blob.Blob], [FetchSetup.Http($"http://127.0.0.1:{link.Port}")],
            progress =>
            {
                setup.Progress.Add(progress);
                if (progress.Problem is null || ++cuts != 2) return;
                File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(path).AddHours(-1));
            }, TestContext.Current.CancellationToken);
        Assert.True(result.IsSuccess, result.Detail);
        Assert.True(setup.Store.IsWhole(blob.Blob));
        Assert.Contains(nginx.AccessLog(), line => line.Contains("\" 200 ", StringComparison.Ordinal));
        // The rest of the 200 that was not wanted is not counted here: it was never read.
        Assert.InRange(setup.ReceivedByteCount, 1_000_001, 1_000_000 + 65536);
    }

    [Fact]
    public async Task AFetchThatIsStoppedGoesOnWhereItWas()
    {
        await using var nginx = await NginxServer.StartAsync();
        using var setup = new FetchSetup();
        // Much larger than what may be on its way from the network to the disk.
        var blob = new SampleBlob(20_000_000);
        nginx.Put(blob.Hex, blob.Content);
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => setup.Fetcher.FetchAsync([blob.Blob], [FetchSetup.Http(nginx.Address)],
            p =>
            {
                if (p.StoredByteCount > 2_000_000) stop.Cancel();
            }, stop.Token));
        Assert.False(setup.Store.Has(blob.Blob));
        await setup.SucceedAsync(blob, FetchSetup.Http(nginx.Address));
        Assert.InRange(setup.ReceivedByteCount, 1, 18_000_000);
    }

    [Fact]
    public async Task AServerWithoutRangesIsReadFromItsStart()
    {
        var blob = new SampleBlob(300_000);
        var asked = 0;
        await using var server = new ScriptedServer(async (_, stream, cancellationToken) =>
        {
            await ScriptedServer.HeadAsync(stream, "200 OK\r\nContent-Length: 300000", cancellationToken);
            await stream.WriteAsync(blob.Content.AsMemory(0, ++asked == 1 ? 150_000 : 300_000), cancellationToken);
        });
        using var setup = new FetchSetup();
        await setup.SucceedAsync(blob, FetchSetup.Http(server.Address));
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task CertificatesAreCheckedAtTheTrustedTimeNotTheBoardsClock()
    {
        using var pki = new TestPki();
        await using var nginx = await NginxServer.StartAsync(pki.Server);
        var blob = new SampleBlob(100_000);
        nginx.Put(blob.Hex, blob.Content);
        // A refusal is tried again until the patience ends, and nothing changes meanwhile.
        using var setup = new FetchSetup(new UpdateOptions { ArtifactCaFile = pki.CaFile }, FetchSetup.Impatient with { Patience = TimeSpan.FromSeconds(0.5) });
        var now = TimeProvider.System.GetUtcNow();
        foreach (var wrong in (DateTimeOffset[])[DateTimeOffset.UnixEpoch, now.AddYears(50)])
        {
            setup.Fetcher.TrustedNow = () => wrong;
            var refused = await setup.FetchAsync(blob, FetchSetup.Http(nginx.Address));
            Assert.Equal(FetchCodes.SourcesExhausted, refused.Code);
            Assert.Contains("is valid from", refused.Detail, StringComparison.Ordinal);
            Assert.Contains("set this board's clock", refused.Detail, StringComparison.Ordinal);
        }
        setup.Fetcher.TrustedNow = () => now;
        await setup.SucceedAsync(blob, FetchSetup.Http(nginx.Address));
    }

    [Fact]
    public async Task AnAuthorityThatIsNotOursIsRefusedAndTheNextSourceAsked()
    {
        using var pki = new TestPki();
        await using var stranger = await NginxServer.StartAsync(pki.Server);
        await using var good = await NginxServer.StartAsync();
        var blob = new SampleBlob(100_000);
        stranger.Put(blob.Hex, blob.Content);
        good.Put(blob.Hex, blob.Content);
        using var setup = new FetchSetup(new UpdateOptions { ArtifactCaFile = pki.StrangerCaFile });
        await setup.SucceedAsync(blob, FetchSetup.Http(stranger.Address), FetchSetup.Http(good.Address));
        Assert.Contains(setup.Log.All, line => line.Contains("is not signed by an authority in", StringComparison.Ordinal));
    }
}
