using Dunlin.Contracts.Updates;
using Dunlin.TestKit.Machine;

namespace Dunlin.Agent.Tests.Updates;

/// <summary>Disks that lose bytes, are full or take no writes, at a start and in a trial (docs/promises.md, rows 17, 19).</summary>
public sealed class DiskFaultTests
{
    [Fact]
    public async Task AReleaseDamagedDuringItsTrialIsNotLoadedAgain()
    {
        await using var board = new TestBoard();
        var (release, _) = await board.OnTrialAsync();
        var old = board.Releases.LastGood;
        Flip(board.Layout.Blob(release.Bundle.Manifest.Variants[0].Blob.Digest));
        board.Start();
        Assert.Equal(old, board.Served[^1]);
        await board.UntilAsync(() => board.Outcomes().Any(o => o.Reason == "trial.invalid"), "the outcome says why");
    }

    [Fact]
    public async Task AFlippedByteOfTheActiveReleaseIsFoundAtTheStartAndFetchedAgain()
    {
        await using var board = new TestBoard();
        board.Start();
        var release = board.Publish(1);
        await board.RunAsync(board.Fleet.Direct(release));
        var damaged = release.Bundle.Manifest.Variants[0].Blob;
        await board.StopAsync();
        Flip(board.Layout.Blob(damaged.Digest));
        board.Start();
        // The other variant is whole, so the release serves; the damaged one is not among what may be loaded.
        Assert.Equal(release.Id, board.Served[^1]);
        Assert.DoesNotContain(board.Releases.Open(release.Id).Bundle!.Present, v => v.Blob.Digest == damaged.Digest);
        await board.UntilAsync(() => board.Journal.State == UpdateState.Idle && board.Releases.Open(release.Id).IsComplete, "it is whole again");
        Assert.Single(board.Outcomes());
    }

    [Fact]
    public async Task ATrialGoesOnAfterARestartOnAFullDisk()
    {
        using var disk = TinyDisk.Mount(8);
        await using var board = new TestBoard(disk.Path);
        var (release, directive) = await board.OnTrialAsync();
        disk.Fill();
        board.Start();
        Assert.Equal((release.Id, 2), (board.Served[^1], board.Journal.Tries));
        Assert.True(File.Exists(board.Layout.Reserve), "the room for a roll-back is not there any more");
        disk.Free();
        board.Window = _ => SampleWindows.Good();
        await board.EndsAsync(directive);
        Assert.Equal(release.Id, board.Releases.LastGood);
    }

    [Fact]
    public async Task AStartOfATrialThatFindsNoRoomAtAllSaysThatTheDiskIsFull()
    {
        using var disk = TinyDisk.Mount(8);
        await using var board = new TestBoard(disk.Path);
        var (release, directive) = await board.OnTrialAsync();
        File.Delete(board.Layout.Reserve);
        disk.Fill();
        board.Start();
        Assert.NotEqual(release.Id, board.Served[^1]);
        disk.Free();
        await board.EndsAsync(directive);
        Assert.Equal("disk.full", board.Outcomes()[^1].Reason);
        Assert.Null(board.Files.ReadQuarantine().Value);
    }

    [Fact]
    public async Task ARootThatIsLostInATrialDoesNotHoldUpItsEnd()
    {
        await using var board = new TestBoard();
        var (release, directive) = await board.OnTrialAsync();
        File.WriteAllText(board.Layout.TrustRoot, "{");
        board.Window = _ => SampleWindows.Good();
        board.Start();
        await board.EndsAsync(directive);
        Assert.Equal((UpdateState.Committed, release.Id), (board.Outcomes()[^1].Result, board.Releases.LastGood));
    }

    [Fact]
    public async Task ARootThatIsLostBeforeTheSwitchRejectsTheReleaseByItsName()
    {
        await using var board = new TestBoard();
        var directive = await board.InFetchAsync();
        await board.StopAsync();
        File.WriteAllText(board.Layout.TrustRoot, "{");
        board.Gate = (_, _) => Task.CompletedTask;
        board.Start();
        await board.EndsAsync(directive);
        Assert.Equal((UpdateState.Rejected, "trust.damaged"), (board.Outcomes().Single().Result, board.Outcomes().Single().Reason));
    }

    [Fact]
    public async Task AJournalDamagedDuringATrialLeavesTheCommittedReleaseAndTheDirectiveIsDoneAgain()
    {
        await using var board = new TestBoard();
        var (release, _) = await board.OnTrialAsync();
        var old = board.Releases.LastGood;
        File.WriteAllText(board.Layout.Journal, "{");
        File.WriteAllText(StateLayout.Backup(board.Layout.Journal), "");
        board.Start();
        Assert.Equal((old, old), (board.Releases.Active, board.Served[^1]));
        board.Window = _ => SampleWindows.Good();
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(release))).Result);
    }

    [Fact]
    public async Task ARecordOfSeenDirectivesWithADamagedKeyStopsNoAgentAndForgetsNoOutcome()
    {
        await using var board = new TestBoard();
        board.Start();
        var directive = board.Fleet.Direct(board.Publish(1));
        await board.RunAsync(directive);
        await board.StopAsync();
        File.WriteAllText(board.Layout.Seen, File.ReadAllText(board.Layout.Seen).Replace("sha256:", "sha255:", StringComparison.Ordinal));
        board.Start();
        board.Send(directive, isRetained: true);
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(board.Publish(2)))).Result);
        Assert.Equal(2, board.Outcomes().Count);
        Assert.Equal(2, board.Files.ReadSeen().Value!.Directives.Count);
    }

    [Fact]
    public async Task AJournalThatTheDiskDoesNotTakeHoldsTheUpdateWhereItIs()
    {
        await using var board = new TestBoard();
        var reached = board.HoldAt("race");
        board.Start();
        var directive = board.Fleet.Direct(board.Publish(1));
        board.Send(directive);
        await board.UntilAsync(() => reached.Task.IsCompleted, "it races");
        // A folder in the way of the backup fails as a full disk does: after the journal itself.
        var backup = StateLayout.Backup(board.Layout.Journal);
        File.Delete(backup);
        Directory.CreateDirectory(backup);
        board.Gate = (_, _) => Task.CompletedTask;
        board.Release();
        await board.UntilAsync(() => board.Status.Problems.Any(p => p.Contains("waits in the state", StringComparison.Ordinal)), "the device says that it waits");
        Assert.Null(board.Releases.Active);
        Directory.Delete(backup);
        await board.EndsAsync(directive);
        Assert.Equal(UpdateState.Committed, board.Outcomes().Single().Result);
        await board.UntilAsync(() => board.Status.Problems.Count == 0, "nothing is wrong any more");
    }

    private static void Flip(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.Delete(path);
        File.WriteAllBytes(path, bytes);
    }
}
