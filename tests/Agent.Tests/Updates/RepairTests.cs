using Dunlin.Agent.Updates;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.Machine;

namespace Dunlin.Agent.Tests.Updates;

/// <summary>What the disk has lost of the installed release is fetched again, whatever else goes wrong meanwhile (docs/promises.md, row 19).</summary>
public sealed class RepairTests
{
    [Fact]
    public async Task ADamagedReleaseOnADiskThatTakesNoWritesStopsNoAgentAndIsWholeAgainWhenItDoes()
    {
        await using var board = new TestBoard();
        var release = await InstallAsync(board);
        await board.StopAsync();
        Lose(board, release);
        await using (await ReadOnlyFolder.MountAsync(board.Layout.Root))
        {
            board.Start();
            await board.UntilAsync(() => board.Status.Problems.Any(p => p.Contains("waits in the state", StringComparison.Ordinal)), "the device says that the repair waits");
            Assert.Equal(release.Id, board.Served[^1]);
            await board.StopAsync();
        }

        board.Start();
        await board.UntilAsync(() => IsWhole(board, release), "it is whole again");
    }

    [Fact]
    public async Task ARepairThatFailsIsTriedAgainUntilTheReleaseIsWhole()
    {
        await using var board = new TestBoard();
        var release = await InstallAsync(board);
        await board.StopAsync();
        Lose(board, release);
        var attempts = 0;
        board.FetchFailure = _ => ++attempts <= 2 ? new UpdateFailure("fetch.sources-exhausted", "The source is away.") : null;
        board.Start();
        await board.UntilAsync(() => attempts == 1 && board.Journal.State == UpdateState.Idle, "the first repair has failed");
        for (var i = 0; i < 40; i++) await board.PassAsync();
        Assert.Equal(1, attempts);
        board.Time.Advance(TimeSpan.FromMinutes(1));
        await board.UntilAsync(() => attempts == 2 && board.Journal.State == UpdateState.Idle, "the second has failed too");
        board.Time.Advance(TimeSpan.FromMinutes(2));
        await board.UntilAsync(() => IsWhole(board, release), "the third repairs it");
        Assert.Single(board.Outcomes());
    }

    [Fact]
    public async Task ADamagedReleaseWhoseDirectiveIsLostIsRepairedByThePushThatItAsksFor()
    {
        await using var board = new TestBoard();
        var release = await InstallAsync(board);
        await board.StopAsync();
        Lose(board, release);
        File.Delete(Path.Combine(board.Layout.Release(release.Id), "directive.dsse"));
        board.Start();
        await board.UntilAsync(() => board.Status.Problems.Any(p => p.Contains("push the release again", StringComparison.Ordinal)), "the device asks for a push");
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(release))).Result);
        Assert.True(IsWhole(board, release));
        Assert.Empty(board.Status.Problems);
    }

    [Fact]
    public async Task APushOfWhatRunsAlreadyBringsTheSourcesThatARepairAsks()
    {
        await using var board = new TestBoard();
        var release = await InstallAsync(board);
        ArtifactSource[] moved = [new() { Kind = SourceKind.Http, Location = "https://new.example/garments" }];
        var served = board.Served.Count;
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(release, d => d with { Sources = moved }))).Result);
        Assert.Equal(served, board.Served.Count);
        Assert.Equal(moved, board.Releases.DirectiveOf(release.Id)!.Value.Directive.Sources);
        await board.StopAsync();
        Lose(board, release);
        board.Start();
        await board.UntilAsync(() => IsWhole(board, release), "it is whole again");
    }

    [Fact]
    public async Task ARepairByADirectiveWhoseKeyWasReplacedBringsItsCounterAndTimeNotBack()
    {
        await using var board = new TestBoard();
        board.Start();
        using var replaced = board.Fleet.Online;
        var release = board.Publish(1);
        var stolen = board.Fleet.Direct(release, d => d with { Counter = long.MaxValue, Issued = d.Issued.AddYears(3), Expires = d.Issued.AddYears(4) });
        await board.RunAsync(stolen);
        board.Fleet.Online = SigningKey.Generate();
        board.SendRoots(board.Fleet.SignedRoot(2));
        await board.UntilAsync(() => board.Files.ReadFloors().Value is { RootVersion: 2, Counter: 0 }, "the new root has reset the floors");
        await board.StopAsync();
        Lose(board, release);
        board.Start();
        await board.UntilAsync(() => IsWhole(board, release), "it is whole again");
        Assert.Equal(0, board.Files.ReadFloors().Value!.Counter);
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(board.Publish(2), d => d with { Counter = 1 }))).Result);
    }

    [Fact]
    public async Task WhatCannotBeRemovedAfterAnUpdateIsToldAndHoldsNoneUp()
    {
        await using var board = new TestBoard();
        // A folder in the place of the reserve can be neither kept nor removed.
        Directory.CreateDirectory(board.Layout.Reserve);
        board.Start();
        await board.RunAsync(board.Fleet.Direct(board.Publish(1)));
        await board.UntilAsync(() => board.Status.Problems.Any(p => p.Contains("could not be removed", StringComparison.Ordinal)), "the device says what stays");
        var second = board.Publish(2);
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(second))).Result);
        Assert.Equal(second.Id, board.Releases.LastGood);
        Directory.Delete(board.Layout.Reserve);
        await board.RunAsync(board.Fleet.Direct(board.Publish(3)));
        await board.UntilAsync(() => board.Status.Problems.Count == 0, "nothing stays any more");
    }

    private static async Task<Release> InstallAsync(TestBoard board)
    {
        board.Start();
        var release = board.Publish(1);
        await board.RunAsync(board.Fleet.Direct(release));
        return release;
    }

    private static bool IsWhole(TestBoard board, Release release) => board.Journal.State == UpdateState.Idle && board.Releases.Open(release.Id).IsComplete;

    private static void Lose(TestBoard board, Release release)
    {
        var path = board.Layout.Blob(release.Bundle.Manifest.Variants[0].Blob.Digest);
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.Delete(path);
        File.WriteAllBytes(path, bytes);
    }
}
