using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;

namespace Dunlin.Agent.Tests.Updates;

/// <summary>Signed time that has run ahead, by a stolen key or a wrong clock, stops no agent and is undone by a new root (docs/promises.md, row 42).</summary>
public sealed class TimeAheadTests
{
    private static readonly DateTimeOffset EndOfAllTime = DateTimeOffset.MaxValue.ToUniversalTime();

    [Fact]
    public async Task FloorsAtTheEndOfAllTimeStopNoStartAndANewRootUndoesThem()
    {
        await using var board = new TestBoard();
        board.Start();
        var running = board.Publish(1);
        await board.RunAsync(board.Fleet.Direct(running));
        await board.StopAsync();
        board.Files.WriteFloors(board.Files.ReadFloors().Value! with { Time = EndOfAllTime });
        board.Start();
        for (var i = 0; i < 5; i++) await board.PassAsync();
        Assert.Equal(running.Id, board.Served[^1]);
        Assert.Equal("directive.expired", (await board.RunAsync(board.Fleet.Direct(board.Publish(2)))).Reason);
        using var replaced = board.Fleet.Online;
        board.Fleet.Online = SigningKey.Generate();
        board.SendRoots(board.Fleet.SignedRoot(2));
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(board.Publish(3)))).Result);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ABeaconOfAFleetWhoseClockRunsAheadTeachesATimeOnlyWhereThereIsNoClock(bool isSynchronized)
    {
        await using var board = new TestBoard { IsClockSynchronized = isSynchronized };
        board.Start();
        await board.RunAsync(board.Fleet.Direct(board.Publish(1)));
        var now = board.Fleet.Now;
        board.Fleet.Now += TimeSpan.FromDays(365);
        board.SendFresh(board.Fleet.Fresh());
        board.Fleet.Now = now;
        var outcome = await board.RunAsync(board.Fleet.Direct(board.Publish(2)));
        Assert.Equal(isSynchronized ? (UpdateState.Committed, null) : (UpdateState.Rejected, "directive.expired"), (outcome.Result, outcome.Reason));
        Assert.Equal(isSynchronized ? now : now.AddDays(365), board.Files.ReadFloors().Value!.Time);
    }

    [Fact]
    public async Task AFreshDocumentOfAYearThatNobodyMeansIsRefusedAndTeachesNoTime()
    {
        await using var board = new TestBoard();
        board.Start();
        await board.RunAsync(board.Fleet.Direct(board.Publish(1)));
        var now = board.Fleet.Now;
        var text = System.Text.Encoding.UTF8.GetString(board.Fleet.Fresh().Payload.Span);
        var wild = text.Replace($"\"time\":\"{now.Year}", "\"time\":\"9998", StringComparison.Ordinal).Replace($"\"expires\":\"{now.Year}", "\"expires\":\"9999", StringComparison.Ordinal);
        board.SendFresh(board.Fleet.Online.Sign(MediaTypes.Fresh, System.Text.Encoding.UTF8.GetBytes(wild)));
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(board.Publish(2)))).Result);
        Assert.Equal(now, board.Files.ReadFloors().Value!.Time);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task InstallsOfATimeThatANewRootUndidCountForOneIntervalMore(bool isRestarted)
    {
        await using var board = new TestBoard();
        board.Options.MaximumInstalls = 1;
        board.Start();
        using var replaced = board.Fleet.Online;
        await board.RunAsync(board.Fleet.Direct(board.Publish(1), d => d with { Issued = d.Issued.AddYears(3), Expires = d.Issued.AddYears(4) }));
        board.Fleet.Online = SigningKey.Generate();
        board.SendRoots(board.Fleet.SignedRoot(2));
        await board.UntilAsync(() => board.Files.ReadFloors().Value is { RootVersion: 2 }, "the root is new");
        if (isRestarted) await board.RestartAsync();
        Assert.Equal("install.limited", (await board.RunAsync(board.Fleet.Direct(board.Publish(2)))).Reason);
        board.Time.Advance(TimeSpan.FromHours(1.1));
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(board.Publish(3)))).Result);
    }

    [Fact]
    public async Task AFullRecordOfDirectivesThatEndedInTheFutureForgetsTheOldestOfThemFirst()
    {
        await using var board = new TestBoard();
        var ended = Enumerable.Range(0, 256).Select(i => Digest.Of([(byte)i])).ToList();
        board.Files.WriteSeen(new Seen
        {
            Schema = Seen.CurrentSchema,
            Directives = ended.ToDictionary(id => id, _ => new SeenDirective { Result = UpdateState.Rejected, Reason = "release.unsigned", Time = board.Fleet.Now.AddYears(3) }),
        });
        board.Start();
        var directive = board.Fleet.Direct(board.Publish(1));
        await board.RunAsync(directive);
        board.Send(directive, isRetained: true);
        await board.RunAsync(board.Fleet.Direct(board.Publish(2)));
        Assert.Single(board.Outcomes(), outcome => outcome.Directive == TestBoard.IdOf(directive));
        Assert.Equal(ended[2..], board.Files.ReadSeen().Value!.Directives.Keys.Take(254));
    }
}
