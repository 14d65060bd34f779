using System.Diagnostics;
using Dunlin.Agent.Heats;
using Dunlin.Bench.Material;
using Dunlin.Bench.Measuring;
using Dunlin.Bench.Reporting;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;
using Dunlin.Telemetry.Board;
using static Dunlin.Bench.Comparisons.Rig;

namespace Dunlin.Bench.Comparisons;

/// <summary>Whether races name a right contender, and what they cost.</summary>
internal static class RaceComparison
{
    private const string Topic = "race";
    private const double Alpha = 0.01;
    private const double TieMargin = 0.05;
    private const int BudgetMilliseconds = 20_000;
    private const int FixedRunCount = 100;
    private const int ExhaustiveVisitCount = 1500;
    private const double VisitNanoseconds = 1e6;

    public static IReadOnlyList<Measurement> Run(Rig rig) => [.. Misses(rig), .. Cost(rig)];

    private static IEnumerable<Measurement> Misses(Rig rig)
    {
        const string name = "demo bundle: races whose winner is more than 5 % slower than the best";
        if (!Directory.Exists(Path.Combine(rig.Workshop.DemoBundle, "blobs"))) return [Measurement.Skipped(Topic, name, "races", Threshold.Maximum(4), "no demo bundle")];
        var contenders = new DemoBundle(rig.Workshop).Contenders();
        var visits = ExhaustiveVisitCount * rig.Settings.Races / Settings.Full.Races / 2;
        var latencies = contenders.Select(_ => new List<double>()).ToList();
        Exhaust(contenders, latencies, visits);
        var elapsed = new List<double>();
        var winners = new List<ContenderId?>();
        for (var i = 0; i < rig.Settings.Races; i++)
        {
            rig.CancellationToken.ThrowIfCancellationRequested();
            var start = Stopwatch.GetTimestamp();
            winners.Add(Race(contenders).Winner);
            elapsed.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        Exhaust(contenders, latencies, visits);
        var p95 = contenders.Select((spec, index) => (spec.Contender, Milliseconds: new Tail(latencies[index]).Milliseconds.P95)).ToDictionary(pair => pair.Contender, pair => pair.Milliseconds);
        var best = p95.MinBy(pair => pair.Value);
        var missed = winners.Count(winner => winner is null || p95[winner] > 1.05 * best.Value);
        var named = string.Join(", ", winners.GroupBy(winner => winner?.ToString() ?? "nobody").OrderByDescending(group => group.Count())
            .Select(group => FormattableString.Invariant($"{group.Key} {group.Count()}× ({(group.First() is { } id ? p95[id] : double.NaN):0.000} ms)")));
        return
        [
            Row(Topic, name, "races", Sample.Of([missed]), Threshold.Maximum(4), FormattableString.Invariant($"of {winners.Count}; best: {best.Key} (p95 {best.Value:0.000} ms); won: {named}")),
            Row(Topic, "demo bundle: time of a race's heats, loading included", "ms", Sample.Of(elapsed)),
        ];
    }

    private static IEnumerable<Measurement> Cost(Rig rig)
    {
        const string name = "MobileNetV2 fp32 and int8 on one and two threads: heats ÷ 100 fixed runs of each";
        if (!rig.Workshop.HasImageNet) return [Measurement.Skipped(Topic, name, "×", Threshold.Maximum(0.1), rig.Workshop.NoImageNet)];
        var material = new MobileNet(rig.Workshop);
        var contenders = new[] { MobileNet.Float, MobileNet.Integer }.SelectMany(variant => Enumerable.Range(1, 2).Select(threads => material.Saved(variant, threads))).ToList();
        var (heats, whole, blocks, runs) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        for (var i = 0; i < 2 * rig.Settings.Rounds; i++)
        {
            blocks.Add(FixedBlocks(contenders));
            var (elapsed, loading, count) = TimedRace(contenders);
            heats.Add(elapsed - loading);
            whole.Add(elapsed);
            runs.Add(count);
        }

        return
        [
            Row(Topic, name, "×", Sample.Ratio(heats, blocks), Threshold.Maximum(0.1), "loading of the sessions left out on both sides"),
            Row(Topic, "the same: heats", "ms", Sample.Of(heats)),
            Row(Topic, "the same: heats and loading", "ms", Sample.Of(whole)),
            Row(Topic, "the same: 100 fixed runs of each", "ms", Sample.Of(blocks)),
            Row(Topic, "the same: runs in all heats", "runs", Sample.Of(runs)),
        ];
    }

    /// <summary>As <see cref="Heats.Run"/> races, with a stopwatch at the loading of sessions.</summary>
    private static (double ElapsedMilliseconds, double LoadingMilliseconds, int RunCount) TimedRace(List<SessionSpec> contenders)
    {
        var loading = TimeSpan.Zero;
        var rules = new RaceRules { Objective = Objective.Latency, Alpha = Alpha, TieMargin = TieMargin, Budget = TimeSpan.FromMilliseconds(BudgetMilliseconds) };
        var outcome = new StagedRace(rules, TimeProvider.System, HeatProgram.Throttling(new BoardSensors())).Run(
            [.. contenders.Select(spec => new StagedEntry(spec.Contender, 0))], null, Open, CancellationToken.None);
        return (outcome.Elapsed.TotalMilliseconds, loading.TotalMilliseconds, outcome.Results.Sum(result => result.RunCount));

        SessionContender Open(int index)
        {
            var start = Stopwatch.GetTimestamp();
            var contender = SessionContender.Open(contenders[index], index);
            loading += Stopwatch.GetElapsedTime(start);
            return contender;
        }
    }

    private static HeatVerdict Race(IReadOnlyList<SessionSpec> contenders) => new Heats(TimeProvider.System, HeatProgram.Throttling(new BoardSensors())).Run(
        new Heat { Sessions = contenders, Objective = Objective.Latency, BudgetMilliseconds = BudgetMilliseconds, Alpha = Alpha, TieMargin = TieMargin }, CancellationToken.None);

    /// <summary>In visits of a millisecond, as the race does: a model that has just run another's weights out of the caches is another matter.</summary>
    private static void Exhaust(IReadOnlyList<SessionSpec> contenders, List<List<double>> latencies, int visitCount)
    {
        var sessions = contenders.Select(SessionContender.Open).ToList();
        var runs = sessions.ConvertAll(session => (int)Math.Clamp(Math.Ceiling(VisitNanoseconds / session.Measure().LatencyNanoseconds), 1, 32));
        for (var visit = 0; visit < visitCount; visit++)
        {
            for (var i = 0; i < sessions.Count; i++)
            {
                var index = visit % 2 == 0 ? i : sessions.Count - 1 - i;
                for (var run = 0; run < runs[index]; run++) latencies[index].Add(sessions[index].Measure().LatencyNanoseconds);
            }
        }

        foreach (var session in sessions) session.Dispose();
    }

    private static double FixedBlocks(List<SessionSpec> contenders)
    {
        var milliseconds = 0.0;
        foreach (var spec in contenders)
        {
            using var session = SessionContender.Open(spec, 0);
            var start = Stopwatch.GetTimestamp();
            for (var run = 0; run < FixedRunCount; run++) session.Measure();
            milliseconds += Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        return milliseconds;
    }
}
