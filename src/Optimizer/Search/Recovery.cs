using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Search;

/// <summary>
/// Makes narrower models and trains them by successive halving. What it decides by a clock it records, so that an interrupted study goes on
/// as it would have gone.
/// </summary>
internal sealed class Recovery(SearchSetup setup, Study study, Workshop workshop, Judge judge, Pace pace, Func<int, double> reserveFor, Telling telling)
{
    /// <summary>Of the whole budget, for reading the images that are trained on, and for finding out which channels matter.</summary>
    private const double ReadingShare = 0.1, ImportanceShare = 0.03;

    private const int FewestTrained = 512, FewestImportance = 128, MostImportance = 1024;

    /// <summary>Batch statistics, files and the like, in steps of a short recovery and in seconds.</summary>
    private const double StatisticsShare = 0.2, FileSeconds = 0.5;

    /// <summary>Epochs of the last round after which more would bring nothing.</summary>
    private const int MostEpochs = 40;

    private const int FewestSteps = 16;

    /// <summary>bfloat16 is taken only where it is surely faster: a step takes less than this share of its time.</summary>
    private const double BFloat16Gain = 0.9;

    /// <summary>Steps may take so much longer than they did, before training is cut.</summary>
    private const double Caution = 0.05;

    private sealed record Contestant(Candidate Candidate, Start Start, Build? Build, double Cost, double StepSeconds, double? Rate)
    {
        public string File => Build?.Name ?? $"{Candidate.Id}-start";
    }

    /// <summary>Those that were trained to the end; empty where there is no time to.</summary>
    /// <param name="reference">As it is.</param>
    /// <param name="secondsPerImage">Of reading one, as far as known.</param>
    /// <param name="cancellationToken">Ends a training after a step.</param>
    public IReadOnlyList<Build> Run(Build reference, double secondsPerImage, CancellationToken cancellationToken)
    {
        var plan = study.Once("plan", StudyJson.Default.TrainingPlan, () => Plan(reference, secondsPerImage, cancellationToken), p => p.Halving is not null);
        if (plan.Halving is not { } halving)
        {
            telling.Say($"no time to train: a step of {plan.BatchSize} images takes {plan.StepSeconds:f1} s; give a larger --budget");
            return [];
        }

        pace.Reserve = reserveFor(halving.FinalCount);
        workshop.Begin(plan, cancellationToken);
        var contestants = Starts(reference, plan, halving.CandidateCount, cancellationToken);
        telling.Doing("finding the learning rate");
        if (contestants is [var one, ..]) workshop.TestRange(one.File, cancellationToken);
        telling.Say($"{contestants.Count} narrower models of {plan.ImageCount} training images, {halving.FirstSteps} steps of {plan.BatchSize} images first; {Math.Min(halving.FinalCount, contestants.Count)} will be trained to the end");
        var round = 0;
        foreach (var (count, steps) in halving.ChoosingRounds())
        {
            if (contestants.Count == 0) break;
            contestants = [.. contestants.Select(c => Trained(c, reference, plan, round, () => steps, cancellationToken))];
            contestants = Keep(contestants, reference, round, Math.Max(halving.FinalCount, (count + 1) / 2), halving, plan);
            round++;
        }

        if (contestants.Count == 0) telling.Say("no narrower model is left; the search goes on with the reference alone");
        return Finish(contestants, reference, plan, round, cancellationToken);
    }

    private TrainingPlan Plan(Build reference, double secondsPerImage, CancellationToken cancellationToken)
    {
        var there = setup.Data.CountOf(SplitPart.Train);
        var readable = pace.IsTimed && secondsPerImage > 0 ? (int)Math.Min(int.MaxValue, ReadingShare * pace.Seconds / secondsPerImage) : int.MaxValue;
        var images = Math.Min(there, Math.Max(FewestTrained, readable));
        var batch = Math.Min(setup.BatchSize, images);
        var step = pace.IsTimed ? workshop.ProbeStep(images, batch, useBFloat16: false, cancellationToken) : 1;
        var onBFloats = pace.IsTimed && TrainingOptions.HasBFloat16 ? workshop.ProbeStep(images, batch, useBFloat16: true, cancellationToken) : double.PositiveInfinity;
        var useBFloat16 = onBFloats < BFloat16Gain * step;
        if (useBFloat16)
        {
            telling.Say(FormattableString.Invariant($"training computes in bfloat16: a step takes {onBFloats / step:p0} of its time in float32"));
            step = onBFloats;
        }

        var importance = pace.IsTimed ? Math.Clamp((int)(ImportanceShare * pace.Seconds / (step / batch)), FewestImportance, MostImportance) : MostImportance;
        var epoch = Math.Max(1, images / batch);
        var left = pace.Left - pace.OtherCost(images * secondsPerImage + importance * step / batch + RangeTest.StepCount * step * SearchRun.UsualCost);
        var halving = HalvingPlan.Make(
            left, pace.StepCost(step * SearchRun.UsualCost * (1 + StatisticsShare)), pace.OtherCost(reference.Seconds * SearchRun.UsualCost + FileSeconds), epoch, Candidate.All.Count);
        return new TrainingPlan(step, batch, images, Math.Min(importance, images), epoch, halving, useBFloat16);
    }

    // The first that differ from each other and are smaller than the reference.
    private List<Contestant> Starts(Build reference, TrainingPlan plan, int count, CancellationToken cancellationToken)
    {
        var starts = new List<(Candidate Candidate, Start Start)>();
        var step = workshop.WidthStep(cancellationToken);
        foreach (var candidate in Candidate.All)
        {
            if (starts.Count == count) break;
            telling.Doing($"pruning {candidate.Id}", (double)starts.Count / count);
            var start = study.Once($"start-{candidate.Id}", StudyJson.Default.Start, () => workshop.Narrow(candidate, plan, step, study.Model($"{candidate.Id}-start"), cancellationToken));
            if (start.Macs < reference.Macs && !starts.Exists(s => s.Start == start)) starts.Add((candidate, start));
            else File.Delete(study.Model($"{candidate.Id}-start"));
        }

        var costs = Costs(reference, [.. starts.Select(s => s.Candidate)], cancellationToken);
        return [.. starts.Select(s => new Contestant(
            s.Candidate, s.Start, null, costs is null ? s.Start.Macs : costs[s.Candidate.Id], plan.StepSecondsOf((double)s.Start.Macs / reference.Macs), null))];
    }

    // Measured before anything is trained: weights do not change it.
    private Dictionary<string, double>? Costs(Build reference, IReadOnlyList<Candidate> candidates, CancellationToken cancellationToken)
    {
        if (!pace.IsTimed) return null;
        telling.Doing("timing the narrower models");
        var times = study.Once("times-start", StudyJson.Default.Times, () => judge.Timed(
            [reference.Name, .. candidates.Select(c => $"{c.Id}-start")], TimeSpan.FromSeconds(Math.Clamp(pace.Seconds / 50, 2, 20)), cancellationToken));
        return candidates.ToDictionary(c => c.Id, c => times[$"{c.Id}-start"].Milliseconds);
    }

    private Contestant Trained(Contestant contestant, Build reference, TrainingPlan plan, int round, Func<int> decide, CancellationToken cancellationToken)
    {
        var (id, name, from) = (contestant.Candidate.Id, $"{contestant.Candidate.Id}.{round}", study.Model(contestant.File));
        var checkpoint = Path.ChangeExtension(study.Model(name), ".checkpoint");
        // What was begun is kept, however little time is left.
        var hasTime = File.Exists(checkpoint) || pace.Left >= pace.StepCost(contestant.StepSeconds) * FewestSteps;
        if (study.Recorded($"trained-{name}", StudyJson.Default.Trained) is null && (IsOver(round) || !hasTime)) return contestant;
        var steps = study.Once($"steps-{name}", StudyJson.Default.StepDecision, () => new StepDecision(decide())).Steps;
        var isCut = false;
        var trained = study.Once($"trained-{name}", StudyJson.Default.Trained, () => workshop.Train(
            from, study.Model(name), plan, steps, round, contestant.Rate, () => isCut = pace.IsTimed && pace.Left < 0, share => telling.Doing($"training {id}, round {round + 1}", share), cancellationToken), t => t.Steps > 0 || !isCut);
        pace.StepsDone += trained.Steps;
        if (trained.Steps == 0)
        {
            telling.Say($"{id} is left out: {(isCut ? "there was no time for a step" : "its loss is no number, at any learning rate that was tried")}");
            return contestant;
        }

        File.Delete(checkpoint);
        if (judge.MeasureOrLeave(id, name, Precision.Fp32, telling, cancellationToken) is not { } build)
        {
            File.Delete(study.Model(name));
            return contestant;
        }

        File.Delete(from);
        telling.Say(FormattableString.Invariant(
            $"{id,-10} round {round + 1}, {trained.Steps,5} steps: top-1 {judge.Top1(build.Answers):p2} ({(judge.Top1(build.Answers) - judge.Top1(reference.Answers)) * 100:+0.00;−0.00} pt), {contestant.Start.Macs / 1e6:f2} MMAC{(pace.IsTimed ? FormattableString.Invariant($", {contestant.Cost:f3} ms") : "")}"));
        return contestant with { Build = build, StepSeconds = trained.Seconds / trained.RunSteps, Rate = trained.LearningRate };
    }

    // Who had no time in it has none later either: the file to begin with may be gone.
    private bool IsOver(int round) => study.Recorded($"kept-{round}", StudyJson.Default.Kept) is not null;

    private List<Contestant> Keep(List<Contestant> contestants, Build reference, int round, int count, HalvingPlan halving, TrainingPlan plan)
    {
        var kept = study.Once($"kept-{round}", StudyJson.Default.Kept, () =>
        {
            var stepCost = contestants.Average(c => pace.StepCost(c.StepSeconds)) * halving.FinalCount;
            var doublings = Math.Log2(Math.Max(1, pace.Left / stepCost / (halving.FirstSteps << round)));
            var trials = contestants.Where(c => c.Build is not null).Select(c => new Trial(c.Candidate, judge.Top1(c.Build!.Answers), Judge.Agreement(reference.Answers, c.Build.Answers), c.Cost)).ToList();
            return new Kept([.. new Halving(setup.Limit, judge.Top1(reference.Answers)).Survivors(trials, count, doublings).Select(t => t.Candidate.Id)]);
        }).Ids;
        foreach (var gone in contestants.Where(c => !kept.Contains(c.Candidate.Id))) File.Delete(study.Model(gone.File));
        telling.Say($"round {round + 1} of {plan.Halving!.ChoosingRounds().Count() + 1} done; {(kept.Count == 0 ? "nobody stays" : $"{string.Join(", ", kept)} stay")}");
        return [.. contestants.Where(c => kept.Contains(c.Candidate.Id))];
    }

    // All that is left, shared by what a step of each costs; and once more where a larger budget was given since.
    private IReadOnlyList<Build> Finish(List<Contestant> contestants, Build reference, TrainingPlan plan, int round, CancellationToken cancellationToken)
    {
        var most = MostEpochs * plan.EpochSteps;
        for (var (least, longest) = (FewestSteps, 1); longest > 0 && longest < most; round++)
        {
            longest = 0;
            for (var i = 0; i < contestants.Count; i++)
            {
                var name = $"steps-{contestants[i].Candidate.Id}.{round}";
                var steps = study.Recorded(name, StudyJson.Default.StepDecision)?.Steps ?? Math.Min(most, StepsFor(contestants[i..], reference));
                if (steps < least) continue;
                var before = contestants[i];
                contestants[i] = Trained(before, reference, plan, round, () => steps, cancellationToken);
                // Who was left out spent nothing of the steps, and another round would not end either.
                if (contestants[i] != before) longest = Math.Max(longest, steps);
            }

            least = Math.Max(least, longest / 2);
        }

        return [.. contestants.Select(c => c.Build).OfType<Build>()];
    }

    // For the first of them, if the others are to have as many.
    private int StepsFor(IReadOnlyList<Contestant> contestants, Build reference)
    {
        var measuring = pace.OtherCost(reference.Seconds * SearchRun.UsualCost + FileSeconds) * contestants.Count;
        var step = contestants.Sum(c => pace.StepCost(c.StepSeconds * (1 + Caution)));
        return (int)Math.Clamp((pace.Left - measuring) / step, 0, int.MaxValue);
    }
}
