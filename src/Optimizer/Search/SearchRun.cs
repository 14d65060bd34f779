using System.Diagnostics;
using System.Globalization;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Search;

/// <summary>A search from the reference to what is worth shipping: narrower models first, each of them on bytes then, and the best of all.</summary>
internal sealed class SearchRun(SearchSetup setup, Study study, Pace pace, Telling telling)
{
    public const string ReferenceId = "reference", IntegerReferenceId = "reference-int8";

    /// <summary>More images would only make the intervals narrower.</summary>
    private const int MostSearchImages = 5000, CalibrationImages = 512;

    /// <summary>Of the budget: for judging on held-out images, for trying every calibration, for timing.</summary>
    private const double JudgingShare = 0.35, CalibrationShare = 0.1, TimingShare = 0.04;

    /// <summary>Of the budget, for what loses too much on bytes: half of it for training on the grids, and half for finding the layers to keep in float.</summary>
    private const double SavingShare = 0.1;

    private const int FewestTuningSteps = 8, MostTuningEpochs = 4;

    /// <summary>What a candidate costs, on average, of what the reference does.</summary>
    public const double UsualCost = 0.6;

    /// <summary>What starting a process to measure a variant's memory takes.</summary>
    private const double ProcessSeconds = 1.2;

    /// <summary>Once to choose, and for the report on one thread and on all.</summary>
    private const int TimingsInAll = 3;

    private const double Caution = 1.15;
    private const int UsualSurvivors = 4;

    /// <summary>What is worth shipping, the reference first, and all that it was chosen from.</summary>
    public (IReadOnlyList<Finalist> Chosen, IReadOnlyList<Finalist> All) Run(CancellationToken cancellationToken)
    {
        // Beside its variants it must say as they do how it takes images.
        setup.Data.MarkEnds(setup.Graph.Model);
        if (!File.Exists(study.Model(ReferenceId))) ModelFile.Save(setup.Graph.Model, study.Model(ReferenceId));
        var watch = Stopwatch.StartNew();
        telling.Doing("reading images");
        using var images = setup.Data.Read(SplitPart.Search, MostSearchImages, setup.Seed, cancellationToken);
        using var calibration = setup.Data.Read(SplitPart.Calibration, CalibrationImages, setup.Seed, cancellationToken);
        var secondsPerImage = watch.Elapsed.TotalSeconds / (images.Count + calibration.Count);
        study.RequireSameImages(images, calibration);
        var judge = new Judge(setup, study, images);
        var quantizing = new Quantizing(setup, study, judge, calibration);

        telling.Doing("measuring the reference");
        var reference = judge.Measure(ReferenceId, ReferenceId, Precision.Fp32, cancellationToken);
        if (reference.Refused is { } wrong) throw new InvalidDataException($"'{setup.Path}' cannot be measured on the search images: {wrong}");
        telling.Say(string.Create(CultureInfo.InvariantCulture, $"{ReferenceId}: top-1 {judge.Top1(reference.Answers):p2} of {images.Count} search images, {reference.ParameterCount} parameters, {reference.Macs / 1e6:f2} MMAC"));
        // Only a top-1 that it does not have itself; what a smaller model may lose, it does not lose.
        if (!judge.Holds(reference, reference)) telling.Say($"{ReferenceId} itself does not hold {setup.Limit}; hardly a smaller model will: to ask for less, stop this and begin again with a lower --limit and another --work");
        telling.Doing("quantizing the reference");
        var (integer, quantized) = quantizing.Whole(reference, [.. QuantizationOptions.Methods.Values], telling, cancellationToken);
        Tell(judge, reference, integer, quantized);

        var methods = Methods(quantized);
        var variants = VariantCount(reference, images.Count);
        double Finishing(int survivors) => Caution * (TimingsInAll * TimingBudget(setup.Budget).TotalSeconds + JudgingSeconds(reference, images.Count, Math.Min(variants, 2 + (2 * survivors))));
        double ReserveFor(int survivors) => Caution * methods.Count * quantized.Seconds / QuantizationOptions.Methods.Count * survivors * UsualCost + Finishing(survivors);
        (pace.Reserve, pace.KeptShare) = (ReserveFor(UsualSurvivors), SavingShare);
        using var workshop = new Workshop(setup, study);
        var floats = Narrowed(workshop, judge, reference, secondsPerImage, ReserveFor, cancellationToken);
        List<(Build Float, Build? Integer, Quantized Record)> pairs = [(reference, integer, quantized), .. floats.Select(f => OnBytes(quantizing, judge, reference, f, methods, cancellationToken))];

        (pace.Reserve, pace.KeptShare) = (Finishing(floats.Count), 0);
        var lost = pairs.Where(p => p.Integer is not null && judge.Holds(reference, p.Float) && !judge.Holds(reference, p.Integer)).ToList();
        var saved = lost.SelectMany((p, i) => Saved(quantizing, workshop, judge, reference, p.Float, p.Record, lost.Count - i, cancellationToken)).ToList();
        List<Build> builds = [.. pairs.SelectMany(p => new[] { p.Float, p.Integer }).OfType<Build>(), .. saved];

        telling.Doing("timing");
        var all = Finalists(judge, reference, builds, cancellationToken);
        return (Finalist.Choose(all, setup.Objective, variants, setup.Verdicts.Count > 0), all);
    }

    /// <summary>For timing what was found: a share of the whole.</summary>
    public static TimeSpan TimingBudget(Budget budget) => budget.Time is { } time ? TimeSpan.FromSeconds(Math.Clamp(TimingShare * time.TotalSeconds, 2, 20)) : TimeSpan.FromSeconds(5);

    private IReadOnlyList<Build> Narrowed(Workshop workshop, Judge judge, Build reference, double secondsPerImage, Func<int, double> reserveFor, CancellationToken cancellationToken)
    {
        if (workshop.WhyNot() is { } why)
        {
            telling.Say($"nothing is pruned or trained: {why}");
            return [];
        }

        foreach (var kept in workshop.Kept) telling.Say($"{kept.Count} channels stay: {kept.Why}");
        try
        {
            return new Recovery(setup, study, workshop, judge, pace, reserveFor, telling).Run(reference, secondsPerImage, cancellationToken);
        }
        catch (DivergedException error)
        {
            telling.Say($"nothing is pruned or trained: {error.Message}");
            return [];
        }
    }

    private (Build Float, Build? Integer, Quantized Record) OnBytes(Quantizing quantizing, Judge judge, Build reference, Build build, IReadOnlyList<CalibrationMethod> methods, CancellationToken cancellationToken)
    {
        telling.Doing($"quantizing {build.Id}");
        var (integer, record) = quantizing.Whole(build, methods, telling, cancellationToken);
        Tell(judge, reference, integer, record);
        return (build, integer, record);
    }

    // What loses too much on bytes: by training, which leaves all of it on bytes, or else with layers in float.
    private IEnumerable<Build> Saved(Quantizing quantizing, Workshop workshop, Judge judge, Build reference, Build build, Quantized whole, int left, CancellationToken cancellationToken)
    {
        var method = QuantizationOptions.Methods[whole.Method];
        if (Tuned(quantizing, workshop, (double)build.Macs / reference.Macs, build, method, left, cancellationToken) is { } tuned)
        {
            Tell(judge, reference, tuned, null);
            yield return tuned;
            if (judge.Holds(reference, tuned)) yield break;
        }

        // Each layer is quantized alone for it.
        if (pace.IsTimed && !quantizing.HasMixed(build) && pace.Left < 4 * whole.Seconds) yield break;
        telling.Doing($"keeping layers of {build.Id} in float");
        if (quantizing.Mixed(build, reference, method, telling, cancellationToken) is not { } mixed) yield break;
        Tell(judge, reference, mixed, null);
        yield return mixed;
    }

    private Build? Tuned(Quantizing quantizing, Workshop workshop, double share, Build build, CalibrationMethod method, int left, CancellationToken cancellationToken)
    {
        if (workshop.Plan is not { } plan) return null;
        var most = (double)MostTuningEpochs * plan.ImageCount / AwareTraining.BatchSize;
        var steps = study.Once($"steps-{build.Name}-tuned", StudyJson.Default.StepDecision, () =>
            new StepDecision((int)Math.Clamp(pace.Left / (2 * left) / pace.StepCost(workshop.TuningStepSeconds(share)), 0, most)), d => d.Steps >= FewestTuningSteps).Steps;
        if (steps < FewestTuningSteps) return null;
        var (tuned, done) = quantizing.Tuned(build, method, (calibrated, checkpoint) => workshop.Tune(
            calibrated, steps, checkpoint, () => pace.IsTimed && pace.Left < 0, s => telling.Doing($"training {build.Id} on its grids", s), cancellationToken), telling, cancellationToken);
        pace.StepsDone += done;
        return tuned;
    }

    private void Tell(Judge judge, Build reference, Build? build, Quantized? quantized)
    {
        if (build is null) return;
        telling.Say(string.Create(CultureInfo.InvariantCulture,
            $"{build.Id}: top-1 {judge.Top1(build.Answers):p2} ({(judge.Top1(build.Answers) - judge.Top1(reference.Answers)) * 100:+0.00;−0.00} pt), {build.ByteCount / 1000} kB{(quantized is null ? "" : $", calibrated by {quantized.Method}")}"));
    }

    private IReadOnlyList<CalibrationMethod> Methods(Quantized reference) =>
        reference.Refused is null && pace.IsTimed && UsualSurvivors * UsualCost * reference.Seconds > CalibrationShare * pace.Seconds
            ? [QuantizationOptions.Methods[reference.Method]]
            : [.. QuantizationOptions.Methods.Values];

    private int VariantCount(Build reference, int imageCount)
    {
        var count = setup.MostVariants;
        while (count > SearchSetup.FewestVariants && JudgingSeconds(reference, imageCount, count) > JudgingShare * pace.Seconds) count--;
        return count;
    }

    private double JudgingSeconds(Build reference, int imageCount, int variants) =>
        variants * (UsualCost * reference.Seconds / imageCount * setup.HeldOut.Samples.Count + ProcessSeconds);

    private List<Finalist> Finalists(Judge judge, Build reference, List<Build> builds, CancellationToken cancellationToken)
    {
        var times = judge.TimesOf([.. builds.Select(b => b.Name)], TimingBudget(setup.Budget), cancellationToken);
        var known = builds.ToDictionary(b => b.Id, b => (b.Precision, times[b.Name]));
        var boards = new List<BoardFactors>();
        foreach (var verdict in setup.Verdicts)
        {
            var board = BoardFactors.Learn(verdict, known);
            if (board is not null) boards.Add(board);
            telling.Say(board is not null
                ? string.Create(CultureInfo.InvariantCulture, $"{board.Board}: {board.Time.Float:f1} times as long as this workstation in float, {board.Time.Integer:f1} on bytes")
                : $"{verdict.Conditions.CpuModel}: its verdict knows none of these variants ({string.Join(", ", verdict.Contenders.Select(c => c.Contender.Variant).Distinct().Take(4))}); it is left out");
        }

        return [.. builds.Select(b => new Finalist(
            b, judge.StandingOf(reference, b), times[b.Name], BoardFactors.FleetTime(boards, b.Precision, times[b.Name])))];
    }
}
