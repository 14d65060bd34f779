using System.Globalization;
using Dunlin.Bundles.Golden;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Cameras;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Runtime.Racing;

/// <summary>
/// What a heat process does. All of it runs on the calling thread and may hang or crash on a hostile model:
/// the supervisor's deadline and the process border are the defence.
/// </summary>
/// <param name="time">The clock of budgets.</param>
/// <param name="isThrottled">Whether something holds the clock down, or did since the last question; null: never.</param>
public sealed class Heats(TimeProvider time, Func<bool>? isThrottled = null)
{
    /// <summary>Of a heat for a meter: a look for throttling takes energy too.</summary>
    private static readonly TimeSpan MeteredRound = TimeSpan.FromSeconds(0.25);

    /// <summary>Saves the model as this CPU optimizes it, then loads and runs what was saved once.</summary>
    /// <exception cref="ModelLoadException">It cannot be loaded, is not the manifest's, or cannot be saved.</exception>
    public Prepared Prepare(Prepare message)
    {
        var saved = SavedModel.Save(message.Session, message.OutputDirectory);
        var start = time.GetTimestamp();
        using var contender = SessionContender.Open(saved, 0);
        return new Prepared { LoadMilliseconds = time.GetElapsedTime(start).TotalMilliseconds, MemoryByteCount = contender.MemoryByteCount };
    }

    /// <summary>Classifies the golden set.</summary>
    /// <exception cref="ModelLoadException">The session cannot be made, or the set does not fit it (<c>golden.unreadable</c>).</exception>
    public static GoldenVerdict Golden(Golden message, CancellationToken cancellationToken)
    {
        GoldenSet golden;
        try
        {
            golden = GoldenSet.Open(message.GoldenPath);
        }
        catch (Exception exception) when (exception is BundleException or IOException)
        {
            throw new ModelLoadException("golden.unreadable", exception.Message, exception);
        }

        using var session = ModelSession.Create(message.Session);
        return new GoldenVerdict { Result = GoldenCheck.Run(session, message.Session.Input, golden, message.Floors, cancellationToken) };
    }

    /// <summary>
    /// Races the sessions; the most preferred comes first in <see cref="Heat.Sessions"/>, the incumbent before it. One session
    /// alone with an objective of energy and no estimate runs until the budget is spent, so that a meter outside can weigh it.
    /// The results lack the workstation's top-1 (it is 0), which <see cref="VerdictAssembly"/> adds.
    /// </summary>
    public HeatVerdict Run(Heat message, CancellationToken cancellationToken)
    {
        var rules = new RaceRules
        {
            Objective = message.Objective,
            Alpha = message.Alpha,
            TieMargin = message.TieMargin,
            Budget = TimeSpan.FromMilliseconds(message.BudgetMilliseconds),
            DeadlineMilliseconds = message.DeadlineMilliseconds,
        };
        var sessions = message.Sessions.OrderBy(session => session.Contender == message.Incumbent ? 0 : 1).ToList();
        var memory = new Dictionary<ContenderId, long>();
        RunSpan? ran = null;
        var outcome = sessions is [var alone] && message.Objective != Objective.Latency && message.JoulesPerCpuSecond is null
            ? RunForMeter(alone, rules.Budget, out ran, cancellationToken)
            : new StagedRace(rules, time, isThrottled).Run(
                [.. sessions.Select(session => new StagedEntry(session.Contender, FileByteCount(session)))], message.MemoryByteCount, Open, cancellationToken);

        var verdicts = message.Sessions.Select(session =>
            VerdictOf(outcome.Results.First(result => result.Id == session.Contender), memory, message.JoulesPerCpuSecond)).ToList();
        var reason = verdicts.FirstOrDefault(verdict => verdict.Contender == outcome.Winner)?.Reason
            ?? "No contender finished: " + string.Join(" ", verdicts.Select(verdict => verdict.Reason));
        return new HeatVerdict { Contenders = verdicts, Winner = outcome.Winner, Reason = reason, Ran = ran };

        SessionContender Open(int index)
        {
            var contender = SessionContender.Open(sessions[index], index);
            memory.TryAdd(contender.Id, contender.MemoryByteCount);
            return contender;
        }
    }

    private RaceOutcome RunForMeter(SessionSpec session, TimeSpan budget, out RunSpan ran, CancellationToken cancellationToken)
    {
        using var contender = SessionContender.Open(session, 0);
        var entrant = new Entrant(contender);
        var first = time.Nanoseconds();
        var start = time.GetTimestamp();
        var throttled = IsThrottled();
        while (time.GetElapsedTime(start) is var begin && begin < budget)
        {
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                entrant.Visit(Objective.Energy);
            }
            while (time.GetElapsedTime(start) is var now && now < budget && now < begin + MeteredRound);
            var before = throttled;
            throttled = IsThrottled();
            entrant.EndRound(whole: true, before || throttled);
        }

        ran = new RunSpan(first, time.Nanoseconds());
        if (entrant.RunCount == 0) entrant.CountThrottled();
        entrant.Leave(ContenderOutcome.Won, "won", string.Create(CultureInfo.InvariantCulture, $"{contender.Id} ran {entrant.RunCount} times for the meter."));
        return new RaceOutcome(contender.Id, [EntrantResult.Of(entrant)], entrant.Scores.Count, false, time.GetElapsedTime(start));
    }

    private bool IsThrottled() => isThrottled?.Invoke() ?? false;

    // A saved model's weights are mapped, but their pages are needed; activations are small beside them in a classifier.
    private static long FileByteCount(SessionSpec session) => (16 << 20) + (session.Saved
        ? SavedModel.Files(Path.GetDirectoryName(session.ModelPath)!).Sum(path => new FileInfo(path) is { Exists: true } file ? file.Length : 0)
        : new FileInfo(session.ModelPath) is { Exists: true } model ? 4 * model.Length : 0);

    private static ContenderVerdict VerdictOf(EntrantResult result, Dictionary<ContenderId, long> memory, double? joulesPerCpuSecond) => new()
    {
        Contender = result.Id,
        Outcome = result.Outcome,
        ReasonCode = result.ReasonCode,
        Reason = result.Reason,
        RunCount = result.RunCount,
        ThrottledRunCount = result.ThrottledRunCount,
        LatencyMilliseconds = result.LatencyMilliseconds,
        CpuMilliseconds = result.CpuMilliseconds,
        Energy = result.CpuMilliseconds * joulesPerCpuSecond / 1000 is { } joules ? new JoulesPerInference(joules, EnergyMethod.Estimated, "cpu-time") : null,
        MemoryByteCount = memory.TryGetValue(result.Id, out var bytes) ? bytes : null,
        Top1 = 0,
    };
}
