using Dunlin.Agent.Updates;
using Dunlin.Contracts.Updates;

namespace Dunlin.Agent.Tests.Updates;

/// <summary>Restarts, newer directives and clocks that step, in each state (docs/promises.md, rows 14, 21, 42).</summary>
public sealed class RecoveryTests
{
    [Theory]
    [InlineData("fetch")]
    [InlineData("check")]
    [InlineData("race")]
    [InlineData("switch")]
    public async Task ARestartInAnyStateGoesOnAndEndsOnce(string where)
    {
        await using var board = new TestBoard();
        board.Start();
        var old = board.Publish(1);
        await board.RunAsync(board.Fleet.Direct(old));
        var reached = board.HoldAt(where);
        var release = board.Publish(2);
        var directive = board.Fleet.Direct(release);
        board.Send(directive);
        await board.UntilAsync(() => reached.Task.IsCompleted, $"it comes to the {where}");
        board.Gate = (_, _) => Task.CompletedTask;
        await board.RestartAsync();
        // The broker has it retained.
        board.Send(directive, isRetained: true);
        await board.EndsAsync(directive);
        Assert.Equal(UpdateState.Committed, board.Outcomes().Single(o => o.Directive == TestBoard.IdOf(directive)).Result);
        Assert.Equal((release.Id, release.Id), (board.Releases.Active, board.Releases.LastGood));
        Assert.Equal(2, board.Files.ReadFloors().Value!.Counter);
    }

    [Fact]
    public async Task AStartWithoutAnUpdateKeepsTheSavedModelsOfWhatIsInstalledAlone()
    {
        await using var board = new TestBoard();
        board.Start();
        var release = board.Publish(1);
        await board.RunAsync(board.Fleet.Direct(release));
        board.SavedModelsKept = null;
        await board.RestartAsync();
        await board.UntilAsync(() => board.SavedModelsKept is not null, "saved models are collected");
        Assert.Equal([release.Id], board.SavedModelsKept!);
    }

    [Theory]
    [InlineData("fetch", UpdateState.Cancelled)]
    [InlineData("check", UpdateState.Cancelled)]
    [InlineData("race", UpdateState.Cancelled)]
    [InlineData("switch", UpdateState.RolledBack)]
    public async Task ANewerDirectiveCancelsBeforeTheSwitchAndRollsBackAfterIt(string where, UpdateState expected)
    {
        await using var board = new TestBoard();
        board.Start();
        var old = board.Publish(1);
        await board.RunAsync(board.Fleet.Direct(old));
        var reached = board.HoldAt(where);
        var (first, second) = (board.Publish(2), board.Publish(3));
        var (older, newer) = (board.Fleet.Direct(first), board.Fleet.Direct(second));
        board.Send(older);
        await board.UntilAsync(() => reached.Task.IsCompleted, $"it comes to the {where}");
        board.Gate = (_, _) => Task.CompletedTask;
        board.Send(newer);
        await board.EndsAsync(newer);
        var outcome = board.Outcomes().Single(o => o.Directive == TestBoard.IdOf(older));
        Assert.Equal((expected, "directive.superseded"), (outcome.Result, outcome.Reason));
        Assert.Equal((second.Id, second.Id), (board.Releases.Active, board.Releases.LastGood));
        Assert.Null(board.Files.ReadQuarantine().Value);
    }

    [Fact]
    public async Task ATrialThatEndsTheAgentEachTimeIsRolledBackAtTheFourthStart()
    {
        await using var board = new TestBoard();
        board.Start();
        var old = board.Publish(1);
        await board.RunAsync(board.Fleet.Direct(old));
        var release = board.Publish(2);
        var directive = board.Fleet.Direct(release);
        // The worker ends the agent before it says anything.
        board.Window = _ => null;
        board.Send(directive);
        for (var start = 1; start <= 3; start++)
        {
            await board.UntilAsync(() => board.Journal is { State: UpdateState.Trial } journal && journal.Tries == start && board.Served[^1] == release.Id, $"start {start} of the trial");
            await board.RestartAsync();
        }

        Assert.Equal(old.Id, board.Served[^1]);
        await board.EndsAsync(directive);
        Assert.Equal("trial.restarts", board.Outcomes()[^1].Reason);
        Assert.Equal((old.Id, old.Id), (board.Releases.Active, board.Releases.LastGood));
        Assert.Equal(release.Id, board.Files.ReadQuarantine().Value!.Entries.Single().Digest);
    }

    [Fact]
    public async Task AStopInGoodOrderIsNotHeldAgainstTheReleaseOnTrial()
    {
        await using var board = new TestBoard();
        var (release, directive) = await board.OnTrialAsync();
        for (var stop = 0; stop < 5; stop++)
        {
            board.Records.ForgetStart();
            board.Start();
            Assert.Equal((release.Id, 1), (board.Served[^1], board.Journal.Tries));
            await board.StopAsync();
        }

        board.Records.ForgetStart();
        board.Window = _ => SampleWindows.Good();
        board.Start();
        await board.EndsAsync(directive);
        Assert.Equal(release.Id, board.Releases.LastGood);
    }

    [Fact]
    public async Task WithoutALastGoodReleaseARollBackLeavesTheFactoryBundle()
    {
        await using var board = new TestBoard();
        board.FactoryBundle = board.Publish(7).Bundle.Path;
        board.Start();
        var factory = board.Served[^1];
        board.SwitchFailure = id => id == factory ? null : new UpdateFailure("model.load", "The worker refused.");
        var outcome = await board.RunAsync(board.Fleet.Direct(board.Publish(1)));
        Assert.Equal((UpdateState.RolledBack, "switch.failed"), (outcome.Result, outcome.Reason));
        Assert.Null(board.Releases.Active);
        Assert.Equal(factory, board.Served[^1]);
        Assert.Equal(outcome.Release, board.Files.ReadQuarantine().Value!.Entries.Single().Digest);
    }

    [Theory]
    [InlineData("child.killed")]
    [InlineData("child.stopped")]
    [InlineData("cache.unwritable")]
    [InlineData("memory.insufficient")]
    [InlineData("artifact.missing")]
    public async Task ASwitchThatTheBoardCouldNotMakeIsHeldAgainstNoRelease(string code)
    {
        await using var board = new TestBoard();
        board.Start();
        var release = board.Publish(1);
        board.SwitchFailure = id => id == release.Id ? new UpdateFailure(code, "The board could not.") : null;
        var outcome = await board.RunAsync(board.Fleet.Direct(release));
        Assert.Equal((UpdateState.RolledBack, code), (outcome.Result, outcome.Reason));
        board.SwitchFailure = _ => null;
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(release))).Result);
    }

    [Fact]
    public async Task FourTrialWindowsWithoutFramesRollBackWithoutQuarantine()
    {
        await using var board = new TestBoard { Window = _ => SampleWindows.Good(classified: 0) };
        board.Start();
        var outcome = await board.RunAsync(board.Fleet.Direct(board.Publish(1)));
        Assert.Equal((UpdateState.RolledBack, "trial.no-frames"), (outcome.Result, outcome.Reason));
        Assert.Null(board.Files.ReadQuarantine().Value);
    }

    [Fact]
    public async Task AReleaseThatDoesNotKeepUpWithTheCameraIsNotBlamedOnTheCamera()
    {
        await using var board = new TestBoard { Window = _ => SampleWindows.Good(classified: 0) with { Frames = SampleWindows.Good(10).Frames with { Classified = 0, Dropped = 10 } } };
        board.Start();
        var outcome = await board.RunAsync(board.Fleet.Direct(board.Publish(1)));
        Assert.Equal((UpdateState.RolledBack, "trial.no-frames"), (outcome.Result, outcome.Reason));
        Assert.Contains("lower Updates:MinimumRuns", outcome.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("Look after the camera", outcome.Detail, StringComparison.Ordinal);
        Assert.Null(board.Files.ReadQuarantine().Value);
    }

    [Fact]
    public async Task MoreThanFortyTransitionsEndAnUpdate()
    {
        await using var board = new TestBoard();
        await board.InFetchAsync();
        for (var i = 0; i < 45 && board.Journal.State == UpdateState.Fetching; i++)
        {
            var reached = board.HoldAt("fetch");
            await board.RestartAsync();
            await board.UntilAsync(() => reached.Task.IsCompleted || board.Journal.State == UpdateState.Idle, "it fetches again or has ended");
        }

        Assert.Equal("update.too-many-transitions", board.Outcomes().Single().Reason);
    }

    [Fact]
    public async Task AStepOfTheSystemClockEndsNoTrialAndAcceptsNothingExpired()
    {
        await using var board = new TestBoard();
        board.Start();
        // The board's clock stands half a century ahead; only signed time counts while it is not synchronized.
        board.Clock.Ahead = TimeSpan.FromDays(50 * 365);
        var release = board.Publish(1);
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(release))).Result);
        Assert.True(board.Files.ReadFloors().Value!.Time < board.Fleet.Now.AddYears(1), "the system clock raised the floor");
        // A restart without a clock: 1970. Still nothing that has expired by signed time is accepted.
        board.Clock.Ahead = DateTimeOffset.UnixEpoch - board.Time.GetUtcNow();
        await board.RestartAsync();
        var expired = await board.RunAsync(board.Fleet.Direct(board.Publish(2), d => d with { Issued = d.Issued.AddDays(-3), Expires = d.Issued.AddDays(-2) }));
        Assert.Equal("directive.expired", expired.Reason);
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(board.Publish(3)))).Result);
    }
}
