using Dunlin.Agent.Children;
using Dunlin.Agent.Heats;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Updates;
using Dunlin.Contracts.Race;
using Dunlin.Runtime.Racing;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Serving;

/// <summary>The race: asked for, run while something serves already, and its verdict in force.</summary>
internal sealed partial class ServingService
{
    private readonly DriftWatch _drift = new(new SustainedOptions());
    private readonly Retry _raceAgain;
    private readonly ConditionWatch _conditions;
    private TaskCompletionSource<RaceAnswer>? _raceWanted;

    /// <summary>Between races that nobody won for want of something that may come.</summary>
    private readonly Backoff _raceBackoff = new(RetryInterval, TimeSpan.FromHours(1), calm: TimeSpan.MaxValue);

    /// <summary>Asks for a race now. From any thread.</summary>
    /// <returns>Completes with its verdict; at once where there is nothing to race, a race already, or a trial.</returns>
    public Task<RaceAnswer> RequestRace()
    {
        if (_report.ReleaseId is null) return Task.FromResult(RaceAnswer.NoRelease);
        if (_parts.Trial.IsUnderWay) return Task.FromResult(RaceAnswer.Trial);
        var wanted = new TaskCompletionSource<RaceAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Interlocked.CompareExchange(ref _raceWanted, wanted, null) is not null) return Task.FromResult(RaceAnswer.Running);
        Wake();
        return wanted.Task;
    }

    /// <summary>Whoever asked while the release was being left need not wait for another one, nor for the end of its trial.</summary>
    private void AnswerWithoutRace(RaceAnswer answer) => Interlocked.Exchange(ref _raceWanted, null)?.TrySetResult(answer);

    /// <returns>Why its winner does not serve; null if it does, or another switch has broken the race off.</returns>
    private async Task<UpdateFailure?> RaceAsync(ServedRelease release, WorkerSeat seat, TaskCompletionSource<RaceAnswer>? wanted, CancellationToken cancellationToken)
    {
        var race = _parts.Race;
        if (_seated is null) race.LookAtRest();
        var incumbent = _seated?.ReleaseId == release.Bundle.ReleaseId ? _report.Running : null;
        var contenders = race.Enumerate(release.Bundle, incumbent);
        var racing = contenders.Count(contender => contender.Blocked is null);
        LogRaceStarted(racing);
        var seated = incumbent is not null ? Task.CompletedTask : null;
        using var interruptible = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _interrupt.Token);
        Verdict verdict;
        try
        {
            verdict = await _tick.TickUntilAsync(race.RunAsync(new RaceRequest(release.Bundle, contenders, release.Objective)
            {
                Incumbent = incumbent,
                // Until there is a verdict, the first variant that passed its golden check serves.
                Vetted = session => seated ??= SeatAsync(release, seat, session, cancellationToken),
            }, interruptible.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Another release is to serve; a race that somebody asked for is run after the switch, unless that begins a trial.
            if (seated is not null) await seated;
            return null;
        }

        if (seated is not null) await seated;
        // What was measured beside a race is the race's load, and says nothing of who serves.
        while (_windows.Reader.TryRead(out _)) { }
        // A failure in this race is quarantined and changes who may start; the verdict belongs to those that may.
        verdict = _parts.Verdicts.Keep(verdict, ConditionsOf(release));
        SetVerdict(verdict);
        Interlocked.CompareExchange(ref _raceWanted, null, wanted);
        wanted?.TrySetResult(RaceAnswer.Of(verdict));
        _report.SetProblem("race", verdict.Winner is null ? verdict.Reason : null);
        // What the board was short of may have passed when the next one is run.
        var shortage = verdict.Winner is not null ? null
            : verdict.Contenders.FirstOrDefault(contender => contender.ReasonCode is SaveRoom.Missing or ChildExitCodes.NotStarted or ChildExitCodes.Killed or ChildExitCodes.Starved or Contenders.NoMemory)?.ReasonCode;
        if (shortage is null) _raceAgain.Stop();
        else _raceAgain.Wait(_raceBackoff.Next(TimeSpan.Zero));
        if (verdict.Winner is null)
        {
            LogNobodyWon(verdict.Reason);
            return new UpdateFailure(shortage ?? UpdateCodes.NoWinner, verdict.Reason);
        }

        _raceBackoff.Reset();
        LogVerdict(verdict.Reason, verdict.ElapsedMilliseconds);
        var problem = await TrySeatAsync(release, seat, verdict.Winner, null, cancellationToken);
        if (problem is not null && _seated?.Contender is { } served) _report.SetShift($"Wanted {verdict.Winner}, ran {served}: {problem.Detail}");
        Adopt(verdict, incumbent);
        return problem;
    }

    // What all lack memory for is not raced until there is enough: each race is a verdict, written and told.
    private void RaceIfAnyMay(ServedRelease release)
    {
        if (_seated is null) _parts.Race.LookAtRest();
        var mayRun = !_parts.Trial.IsUnderWay && _parts.Race.Enumerate(release.Bundle, incumbent: null).Any(contender => contender.Blocked is null);
        if (!mayRun)
        {
            _raceAgain.Wait(RetryInterval);
            return;
        }

        _raceAgain.Stop();
        _ = RequestRace();
    }

    /// <summary>Another governor, or fewer cores, ask for another verdict, as they would at a start: the cached one, or a race.</summary>
    private async Task LookAgainAsync(ServedRelease release, WorkerSeat seat, CancellationToken cancellationToken)
    {
        // A trial would take the race's load for the release's fault, and what could not run is tried again elsewhere.
        var mayRace = !_parts.Trial.IsUnderWay && _seated?.ReleaseId == release.Bundle.ReleaseId && _raceAgain.Remaining == Timeout.InfiniteTimeSpan;
        if (_conditions.Look(mayRace ? ConditionsOf(release) : null) is not { } change) return;
        LogConditionsChanged(change);
        await BeginAsync(release, seat, cancellationToken);
    }

    private RaceConditions ConditionsOf(ServedRelease release) =>
        _parts.Race.ConditionsOf(release.Bundle, _parts.Race.Enumerate(release.Bundle, incumbent: null), release.Objective);

    private void SetVerdict(Verdict verdict)
    {
        _report.SetVerdict(verdict);
        _conditions.Adopt(verdict.Conditions);
    }

    /// <param name="verdict">In force from now on; it has a winner.</param>
    /// <param name="incumbent">What served this release before the race; null without a race.</param>
    private void Adopt(Verdict verdict, ContenderId? incumbent)
    {
        // Not the winner, where that could not be seated.
        var serving = verdict.Contenders.FirstOrDefault(contender => contender.Contender == _seated?.Contender);
        _drift.Adopt(serving?.LatencyMilliseconds?.P95, isSame: _seated?.Contender == incumbent);
        _downshift = new Downshift(Downshift.Ladder(verdict), new DownshiftOptions());
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Race of {ContenderCount} contenders started")]
    private partial void LogRaceStarted(int contenderCount);

    [LoggerMessage(Level = LogLevel.Information, Message = "Race over after {ElapsedMilliseconds:0} ms. {Reason}")]
    private partial void LogVerdict(string reason, double elapsedMilliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Another verdict is due, for the board has changed since this one: {Change}")]
    private partial void LogConditionsChanged(string change);

    [LoggerMessage(Level = LogLevel.Error, Message = "Race without a winner. {Reason}")]
    private partial void LogNobodyWon(string reason);
}
