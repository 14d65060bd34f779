using Dunlin.Agent.Serving;
using Dunlin.Agent.Updates;
using Dunlin.TestKit.Samples;

namespace Dunlin.Agent.Tests.Serving;

/// <summary>The day of a device, with real heats and a real worker.</summary>
public sealed class ServingServiceTests
{
    private const double Drifted = 2 * ServingBoard.PromisedMilliseconds;

    /// <summary>More than a race leaves in peace, and enough to see a drift.</summary>
    private const int LongEnough = 40;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task TheWinnerOfARaceAfterADriftIsHeldToWhatItShowedThere()
    {
        await using var board = await ServingBoard.StartAsync();
        await board.RunsAsync(board.Heavy);
        board.Observe(board.Heavy, Drifted, LongEnough);
        await board.RunsAsync(board.Light);
        board.Observe(board.Light, Drifted, LongEnough);
        await board.SaysAsync("Another race", times: 2);
    }

    [Fact]
    public async Task ResultsThatComeLateBringALighterVariantAlsoWhereNoFrameIsLeftOut()
    {
        await using var board = await ServingBoard.StartAsync();
        await board.RunsAsync(board.Heavy);
        board.Observe(board.Heavy, ServingBoard.PromisedMilliseconds, count: 3, lateCount: 149);
        await board.RunsAsync(board.Light);
        await board.SaysAsync("50 % of the frames came too late", times: 1);
    }

    [Fact]
    public async Task WithoutAReleaseAWishForARaceIsAnsweredAtOnce()
    {
        await using var board = await ServingBoard.StartAsync(hasBundle: false);
        Assert.Equal("race.no-release", (await AnswerAsync(board.Serving.RequestRace())).Code);
    }

    [Fact]
    public async Task AWishForARaceIsAnsweredAlsoWhereTheReleaseIsLeftMeanwhile()
    {
        await using var board = await ServingBoard.StartAsync();
        await board.RunsAsync(board.Heavy);
        var race = board.Serving.RequestRace();
        Assert.Equal("race.running", (await AnswerAsync(board.Serving.RequestRace())).Code);
        await board.SaysAsync("Race of", times: 1);
        await board.Serving.SwitchAsync(null, null, TestContext.Current.CancellationToken);
        Assert.Equal("race.no-release", (await AnswerAsync(race)).Code);
    }

    [Fact]
    public async Task NothingTakesACoreFromAReleaseOnTrial()
    {
        await using var board = await ServingBoard.StartAsync();
        await board.RunsAsync(board.Heavy);
        Assert.Equal("done", await board.Serving.BesideAsync(_ => Task.FromResult("done"), TestContext.Current.CancellationToken));
        board.Trial.Begin(new TrialRules { Release = board.Bundle.ReleaseId, Window = TimeSpan.FromMinutes(1), MinimumRuns = 1 });
        Assert.Equal("race.trial", (await AnswerAsync(board.Serving.RequestRace())).Code);
        Assert.Null(await board.Serving.BesideAsync(_ => Task.FromResult("done"), TestContext.Current.CancellationToken));
        board.Trial.End();
        Assert.NotNull((await AnswerAsync(board.Serving.RequestRace())).Verdict);
    }

    [Fact]
    public async Task WhatRunsBesideWhoServesIsBrokenOffByASwitchAndARaceThatWasAskedForIsToldOfTheTrial()
    {
        await using var board = await ServingBoard.StartAsync();
        await board.RunsAsync(board.Heavy);
        var beside = board.Serving.BesideAsync(EndlessAsync, TestContext.Current.CancellationToken);
        var race = board.Serving.RequestRace();
        await board.SaysAsync("Race of", times: 1);
        Assert.False(beside.IsCompleted || race.IsCompleted);
        board.Trial.Begin(new TrialRules { Release = board.Bundle.ReleaseId, Window = TimeSpan.FromMinutes(1), MinimumRuns = 1 });
        await board.Serving.SwitchAsync(new ServedRelease(board.Bundle, IsSigned: false), null, TestContext.Current.CancellationToken);
        Assert.Null(await beside);
        Assert.Equal("race.trial", (await AnswerAsync(race)).Code);

        static async Task<string> EndlessAsync(CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            return "";
        }
    }

    [Fact]
    public async Task AWinnerThatCannotBeSeatedIsReportedAndWhatServedGoesOn()
    {
        await using var board = await ServingBoard.StartAsync();
        await board.RunsAsync(board.Heavy);
        board.Log.Heard = line =>
        {
            if (line.StartsWith("Race over", StringComparison.Ordinal)) board.Lose(board.Light);
        };
        _ = board.Serving.RequestRace();
        var reported = await board.ReportedAsync(r => r.Reason.StartsWith("Wanted ", StringComparison.Ordinal));
        Assert.Equal((board.Light, board.Heavy), (reported.Wanted, reported.Running));
        Assert.StartsWith($"Wanted {board.Light}, ran {board.Heavy}: ", reported.Reason, StringComparison.Ordinal);
        Assert.Contains(reported.Problems, problem => problem.StartsWith($"{board.Light} does not serve: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ASwitchToWhatTheDiskHasNoRoomForSaysSoAndWhatServedGoesOn()
    {
        await using var board = await ServingBoard.StartAsync();
        await board.RunsAsync(board.Heavy);
        board.LoseCache();
        var verdict = SampleMessages.Race() with { Winner = board.Light };
        var refused = await board.Serving.SwitchAsync(new ServedRelease(board.Bundle, IsSigned: false), verdict, TestContext.Current.CancellationToken);
        Assert.Equal("cache.unwritable", refused?.Code);
        Assert.Equal(board.Heavy, board.Serving.Seated?.Contender);
    }

    [Fact]
    public async Task ABoardThatChangesRacesAgainAndOneThatChangesBackTakesItsOldVerdict()
    {
        await using var board = await ServingBoard.StartAsync();
        await board.RunsAsync(board.Heavy);
        var before = board.Facts;
        board.Facts = before with { CpuGovernor = "another" };
        await board.LooksAsync("governor another");
        await board.RunsAsync(board.Light);
        board.Facts = before;
        await board.LooksAsync("governor another → ");
        await board.RunsAsync(board.Heavy);
        Assert.Single(board.Log.All, line => line.StartsWith("Race of", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ASavedModelThatIsGoneOrDamagedIsMadeAgainForAWorkerThatStartsAgain()
    {
        await using var board = await ServingBoard.StartAsync();
        await board.RunsAsync(board.Heavy);
        board.EmptyCache();
        await board.KillWorkerAsync();
        await board.RunsAsync(board.Heavy);
        var saved = board.Hashes;
        Assert.NotEmpty(saved);
        board.DamageCache();
        await board.KillWorkerAsync();
        await board.RunsAsync(board.Heavy);
        Assert.Equal(saved, board.Hashes);
        Assert.DoesNotContain(board.Log.All, line => line.StartsWith("Race of", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WhereASavedModelCannotBeMadeAgainAnotherVariantServes()
    {
        await using var board = await ServingBoard.StartAsync();
        await board.RunsAsync(board.Heavy);
        board.Lose(board.Heavy);
        await board.KillWorkerAsync();
        await board.RunsAsync(board.Light);
    }

    [Fact]
    public async Task AFaultInServingEndsTheServiceAndTheWorker()
    {
        await using var board = await ServingBoard.StartAsync();
        await board.RunsAsync(board.Heavy);
        board.Facts = null!;
        _ = board.Serving.RequestRace();
        await Assert.ThrowsAsync<NullReferenceException>(() => board.Serving.ExecuteTask!.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.False(board.HasWorker);
    }

    [Fact]
    public async Task AFaultInTheWorkersSupervisionEndsTheServiceToo()
    {
        await using var board = await ServingBoard.StartAsync();
        await board.RunsAsync(board.Heavy);
        board.WorkerExited = () => throw new InvalidTimeZoneException("A fault of ours.");
        await board.KillWorkerAsync();
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => board.Serving.ExecuteTask!.WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    private static Task<RaceAnswer> AnswerAsync(Task<RaceAnswer> race) => race.WaitAsync(Patience, TestContext.Current.CancellationToken);
}
