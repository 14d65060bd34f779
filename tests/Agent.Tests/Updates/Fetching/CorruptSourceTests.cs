using Dunlin.Agent.Updates.Fetching;
using Dunlin.Contracts.Artifacts;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Servers;

namespace Dunlin.Agent.Tests.Updates.Fetching;

public sealed class CorruptSourceTests
{
    private readonly SampleBlob _blob = new(300 * Blob.StandardChunkSize);

    [Fact]
    public async Task ACorruptChunkCostsOneChunkAndTheFetchConverges()
    {
        var random = new Random(7);
        var flipped = 0;
        await using var server = ScriptedServer.Serving(_blob.Content, (_, part) => flipped += FlipSome(part, random, 0.01));
        using var setup = new FetchSetup();
        await setup.SucceedAsync(_blob, FetchSetup.Http(server.Address));
        Assert.InRange(flipped, 1, 12);
        Assert.Equal(_blob.Content.Length + (flipped * Blob.StandardChunkSize), setup.ReceivedByteCount);
    }

    [Fact]
    public async Task ASourceThatSendsBadChunksIsPenalisedAndTheGoodOneServesTheRest()
    {
        var random = new Random(8);
        await using var bad = ScriptedServer.Serving(_blob.Content, (_, part) => FlipSome(part, random, 0.05));
        await using var good = ScriptedServer.Serving(_blob.Content);
        using var setup = new FetchSetup();
        await setup.SucceedAsync(_blob, FetchSetup.Http(bad.Address), FetchSetup.Http(good.Address));
        Assert.Single(bad.Requests);
        Assert.InRange(good.Requests.Count, 1, 40);
        Assert.Contains(setup.Log.All, line => line.Contains("wrong chunks of 300", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ASourceOfNothingButNonsenseIsLeftAfterThreeChunksAndThoseOnTheirWay()
    {
        await using var bad = ScriptedServer.Serving(new byte[_blob.Content.Length]);
        await using var good = ScriptedServer.Serving(_blob.Content);
        using var setup = new FetchSetup();
        await setup.SucceedAsync(_blob, FetchSetup.Http(bad.Address), FetchSetup.Http(good.Address));
        Assert.InRange(setup.ReceivedByteCount - _blob.Content.Length, 3 * Blob.StandardChunkSize, 8 * Blob.StandardChunkSize);
    }

    [Fact]
    public async Task AChunkThatNobodyHasRightEndsTheFetchAfterFewTries()
    {
        await using var bad = ScriptedServer.Serving(_blob.Content, (first, part) =>
        {
            var at = (17 * Blob.StandardChunkSize) + 5 - first;
            if (at >= 0 && at < part.Length) part[at] ^= 1;
        });
        using var setup = new FetchSetup();
        var result = await setup.FetchAsync(_blob, FetchSetup.Http(bad.Address));
        Assert.Equal(FetchCodes.DigestMismatch, result.Code);
        Assert.Contains("Chunk 17", result.Detail, StringComparison.Ordinal);
        Assert.Equal(_blob.Content.Length + (7 * Blob.StandardChunkSize), setup.ReceivedByteCount);
    }

    private static int FlipSome(byte[] part, Random random, double share)
    {
        var count = 0;
        for (var at = 0; at < part.Length; at += Blob.StandardChunkSize)
        {
            if (random.NextDouble() >= share) continue;
            part[at] ^= 0x10;
            count++;
        }
        return count;
    }
}
