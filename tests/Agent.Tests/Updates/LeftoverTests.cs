using Dunlin.Agent.Tests.Updates.Fetching;
using Dunlin.Bundles.Durability;
using Dunlin.Bundles.Store;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Servers;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Updates;

/// <summary>What an update that did not end well leaves for the next one, and for how long; fetched over HTTP.</summary>
public sealed class LeftoverTests
{
    private const int StoredByteCount = Blob.StandardChunkSize;

    /// <summary>The blob of which the server sends one chunk, and then nothing.</summary>
    private Digest? _stalled;

    /// <summary>Whether it has.</summary>
    private volatile bool _hasStalled;

    /// <summary>Of the fetch, which has so much time as the test gives it.</summary>
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task AFetchThatTookTooLongGoesOnWhereItStoppedWhenTheDirectiveComesAgain()
    {
        await using var board = new TestBoard();
        var release = board.Publish(1);
        await using var server = Serve(release);
        using var setup = Fetching(board);
        board.Start();
        _stalled = release.Bundle.Manifest.Variants[1].Blob.Digest;
        Assert.Equal("fetch.timeout", await TooLateAsync(board, Direct(board, release, server)));
        Assert.Equal([_stalled.Value], setup.Store.ListPartial());

        var before = server.Requests.Count;
        (var late, _stalled) = (_stalled.Value, null);
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(Direct(board, release, server))).Result);
        var asked = Assert.Single(server.Requests.Skip(before));
        Assert.EndsWith(late.Hex, asked.Path, StringComparison.Ordinal);
        Assert.Equal(StoredByteCount, asked.Range!.Value.First);
        HoldsNothingBut(setup, release);
    }

    [Fact]
    public async Task ABoardThatLosesItsPowerTooOftenInAFetchKeepsWhatHasCome()
    {
        await using var board = new TestBoard();
        var release = board.Publish(1);
        await using var server = Serve(release);
        using var setup = Fetching(board);
        board.Start();
        _stalled = release.Bundle.Manifest.Variants[1].Blob.Digest;
        board.Send(Direct(board, release, server));
        await board.UntilAsync(() => setup.Store.ListPartial().Contains(_stalled.Value), "it is on its way");
        for (var i = 0; i < 45 && board.Journal.State == UpdateState.Fetching; i++)
        {
            var reached = board.HoldAt("fetch");
            await board.RestartAsync();
            await board.UntilAsync(() => reached.Task.IsCompleted || board.Journal.State == UpdateState.Idle, "it fetches again or has ended");
        }

        Assert.Equal("update.too-many-transitions", board.Outcomes().Single().Reason);
        Assert.Equal([_stalled.Value], setup.Store.ListPartial());
        (_stalled, board.Gate) = (null, (_, _) => Task.CompletedTask);
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(Direct(board, release, server))).Result);
        HoldsNothingBut(setup, release);
    }

    [Fact]
    public async Task WhatAFetchLeftGoesWithTheNextRelease()
    {
        await using var board = new TestBoard();
        var (first, second) = (board.Publish(1), board.Publish(2));
        await using var server = Serve(first, second);
        using var setup = Fetching(board);
        board.Start();
        _stalled = first.Bundle.Manifest.Variants[1].Blob.Digest;
        Assert.Equal("fetch.timeout", await TooLateAsync(board, Direct(board, first, server)));
        var left = first.Bundle.Manifest.Variants[0].Blob.Digest;
        Assert.Contains(left, setup.Store.List());

        _stalled = second.Bundle.Manifest.Variants[1].Blob.Digest;
        Assert.Equal("fetch.timeout", await TooLateAsync(board, Direct(board, second, server)));
        Assert.DoesNotContain(left, setup.Store.List());
        Assert.Equal([_stalled.Value], setup.Store.ListPartial());

        board.CheckFailure = _ => new Agent.Updates.UpdateFailure("check.graph", "It is not right.");
        _stalled = null;
        Assert.Equal("check.graph", (await board.RunAsync(Direct(board, second, server))).Reason);
        HoldsNothingBut(setup);
    }

    [Fact]
    public async Task ANewerDirectiveHasTheRoomOfTheOneThatItCancels()
    {
        using var disk = TinyDisk.Mount(8);
        await using var board = new TestBoard(disk.Path);
        var (first, second) = (board.Publish(1), board.Publish(2));
        await using var server = Serve(first, second);
        using var roomy = Fetching(board);
        board.Start();
        var reached = new TaskCompletionSource();
        board.Hold("check", reached);
        board.Send(Direct(board, first, server));
        await board.UntilAsync(() => reached.Task.IsCompleted, "the first is fetched");

        board.Gate = (_, _) => Task.CompletedTask;
        using var tight = Fetching(board, roomy.Store.FreeByteCount - 60_000);
        Assert.InRange(tight.Store.LackingByteCount(board.Releases.BlobsOf(second.Bundle.Manifest)), 1, 139_999);
        var newer = Direct(board, second, server);
        board.Send(newer);
        await board.EndsAsync(newer);
        Assert.Equal(second.Id, board.Releases.LastGood);
    }

    [Fact]
    public async Task LeftoversDoNotTakeTheRoomOfASignatureEither()
    {
        using var disk = TinyDisk.Mount(8);
        await using var board = new TestBoard(disk.Path);
        var release = board.Publish(1);
        await using var server = Serve(release);
        board.Start();
        var left = new byte[1_000_000];
        DurableFile.CreateDirectory(board.Layout.Blobs);
        DurableFile.Write(board.Layout.Blob(Digest.Of(left)), left);
        using var tight = Fetching(board, new BlobStore(board.Layout).FreeByteCount);
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(Direct(board, release, server))).Result);
    }

    /// <summary>Lets the time of the fetch pass once nothing more comes; why it ended.</summary>
    private async Task<string?> TooLateAsync(TestBoard board, DsseEnvelope directive)
    {
        _hasStalled = false;
        var running = board.RunAsync(directive);
        await Eventually.TrueAsync(() =>
        {
            // Little by little, since what came last is still on its way into the store.
            if (_hasStalled) _time.Advance(FetchSetup.Impatient.TotalTime / 60);
            return running.IsCompleted;
        }, "the fetch ends");
        return (await running).Reason;
    }

    private FetchSetup Fetching(TestBoard board, long reserve = 0)
    {
        // Nothing else ends a request.
        var limits = FetchSetup.Impatient with { SlowWindow = 2 * FetchSetup.Impatient.TotalTime };
        var setup = new FetchSetup(folder: board.Layout.Root, limits: limits, reserve: reserve, time: _time);
        board.Fetch = setup.Fetcher.FetchAsync;
        return setup;
    }

    private ScriptedServer Serve(params Release[] releases) => new(async (request, stream, cancellationToken) =>
    {
        var name = request.Path.Split('/')[^1];
        var file = releases.Select(release => Path.Combine(release.Bundle.Path, "blobs", "sha256", name)).First(File.Exists);
        var content = await File.ReadAllBytesAsync(file, cancellationToken);
        var (first, last) = request.Range!.Value;
        await ScriptedServer.HeadAsync(stream, $"206 Partial Content\r\nContent-Range: bytes {first}-{last}/{content.Length}", cancellationToken);
        var isStalled = name == _stalled?.Hex;
        await stream.WriteAsync(isStalled ? content.AsMemory(0, StoredByteCount) : content.AsMemory((int)first..((int)last + 1)), cancellationToken);
        if (!isStalled) return;
        _hasStalled = true;
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
    });

    private static DsseEnvelope Direct(TestBoard board, Release release, ScriptedServer server) =>
        board.Fleet.Direct(release, directive => directive with { Sources = [FetchSetup.Http(server.Address)] });

    private static void HoldsNothingBut(FetchSetup setup, params Release[] releases)
    {
        var needed = releases.SelectMany(release => (Digest[])[release.Bundle.Manifest.Labels.Digest, release.Bundle.Manifest.Golden.Blob.Digest, .. release.Bundle.Manifest.Variants.Select(v => v.Blob.Digest)]);
        Assert.Equal(needed.ToHashSet(), setup.Store.List().ToHashSet());
        Assert.Empty(setup.Store.ListPartial());
    }
}
