using System.Diagnostics;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Search;

/// <summary>Makes narrower models of the reference and trains them, with everything that needs to be made only once for it.</summary>
internal sealed class Workshop : IDisposable
{
    /// <summary>A loss that is no number any more is tried again with a quarter of the rate, so often.</summary>
    private const int MostRetries = 3;

    private const int ProbeSteps = 3;
    private readonly SearchSetup _setup;
    private readonly Study _study;
    private readonly OnnxTeacher _teacher;
    private PixelSet? _images;
    private TeacherLogits? _logits;
    private Importance? _importance;
    private double _rate = DistilCommand.UsualRate;

    public Workshop(SearchSetup setup, Study study)
    {
        (_setup, _study) = (setup, study);
        _teacher = new OnnxTeacher(study.Model(SearchRun.ReferenceId), setup.InputOptions, setup.Data.Classes.Names.Count);
    }

    /// <summary>Of the study, once <see cref="Begin"/> was called.</summary>
    public TrainingPlan? Plan { get; private set; }

    /// <summary>Channels that cannot be pruned, once <see cref="WhyNot"/> was asked.</summary>
    public IReadOnlyList<KeptChannels> Kept { get; private set; } = [];

    /// <summary>Why nothing can be pruned or trained; null if it can.</summary>
    public string? WhyNot()
    {
        try
        {
            TorchLibrary.Load();
            TrainingTrial.Run(Reference());
            Kept = Pruner.Prune(Reference(), MagnitudeImportance.L2, new PruningOptions(0.5, PruningScope.Layer, Step: 1)).Kept;
            return null;
        }
        catch (Exception error) when (error is InvalidDataException or DllNotFoundException)
        {
            return error.Message;
        }
    }

    /// <summary>Seconds of a training step of the reference, by the last of a few. At a rate of zero: none that it bears is known yet.</summary>
    /// <exception cref="DivergedException">Its loss is no number even so.</exception>
    public double ProbeStep(int imageCount, int batchSize, bool useBFloat16, CancellationToken cancellationToken)
    {
        using var images = _setup.Data.Read(SplitPart.Train, Math.Min(imageCount, ProbeSteps * batchSize), _setup.Seed, cancellationToken);
        var seconds = 0.0;
        var last = Stopwatch.GetTimestamp();
        var trainer = new Trainer(images, Options(batchSize, ProbeSteps, 0, rate: 0) with { UseBFloat16 = useBFloat16 })
        {
            Advanced = _ => (seconds, last) = (Stopwatch.GetElapsedTime(last).TotalSeconds, Stopwatch.GetTimestamp()),
        };
        trainer.Run(Reference(), cancellationToken);
        return Math.Max(seconds, 1e-4);
    }

    /// <summary>Reads what is trained on.</summary>
    public void Begin(TrainingPlan plan, CancellationToken cancellationToken)
    {
        Plan = plan;
        _images = _setup.Data.Read(SplitPart.Train, plan.ImageCount, _setup.Seed, cancellationToken);
        _logits = new TeacherLogits(_teacher, _images.As(_teacher.Input), Options(plan.BatchSize, 1, 0, _rate), Environment.ProcessorCount, _study.Folder);
    }

    /// <summary>Of widths. What is measured may come out otherwise the next time: a study keeps to one, and one in steps to what depends on no clock.</summary>
    public int WidthStep(CancellationToken cancellationToken) => _setup.Step ?? (_setup.Budget.Time is null
        ? KernelSteps.Usual
        : _study.Once("step", StudyJson.Default.KernelStep, () => new KernelStep(KernelSteps.OfThisCpu(Path.Combine(CacheFolder.Path, "kernels"), cancellationToken))).ChannelCount);

    /// <summary>Makes a candidate of the reference, without training.</summary>
    /// <exception cref="InvalidDataException">It cannot be made.</exception>
    public Start Narrow(Candidate candidate, TrainingPlan plan, int widthStep, string path, CancellationToken cancellationToken)
    {
        var graph = Reference();
        var before = GraphFacts.Of(graph);
        var options = new PruningOptions(candidate.Ratio, candidate.Scope, widthStep);
        // The same graph gives its channels the same numbers each time, so that what was measured once holds.
        Pruner.Prune(graph, dependencies => _importance ??= TaylorImportance.Measure(dependencies, _images!.Take(plan.ImportanceCount), cancellationToken), options);
        var after = GraphFacts.Of(graph);
        Provenance.Add(graph.Model, Pruner.Technique(options, "taylor", 1 - (double)after.ParameterCount / before.ParameterCount));
        _setup.Data.Mark(graph.Model);
        ModelFile.Save(graph.Model, path);
        return new Start(after.Macs, after.ParameterCount);
    }

    /// <summary>Finds out, once for the study, which learning rate such models bear.</summary>
    /// <param name="name">Of a narrower model, not trained yet.</param>
    /// <param name="cancellationToken">Ends it after a step.</param>
    public void TestRange(string name, CancellationToken cancellationToken) =>
        _rate = _study.Once("rate", StudyJson.Default.LearningRate, () => new LearningRate(RangeTest.Peak(
            new Trainer(_images!, Options(Plan!.BatchSize, RangeTest.StepCount, 0, _rate)) { Teacher = _logits }, _rate, ModelGraph.Load(_study.Model(name)), cancellationToken))).Peak;

    /// <summary>Trains a model of the study to answer as the reference does.</summary>
    /// <param name="from">The file to begin with.</param>
    /// <param name="to">The file to write; progress is kept beside it.</param>
    /// <param name="plan">Of the whole study.</param>
    /// <param name="steps">To train.</param>
    /// <param name="round">Another round, other views.</param>
    /// <param name="rate">The peak of the schedule; null: what the study found.</param>
    /// <param name="isCut">Whether time is up.</param>
    /// <param name="advanced">Told the share 0…1 that is done.</param>
    /// <param name="cancellationToken">Ends the training after a step.</param>
    public Trained Train(
        string from, string to, TrainingPlan plan, int steps, int round, double? rate, Func<bool> isCut, Action<double> advanced, CancellationToken cancellationToken)
    {
        var learningRate = rate ?? _rate;
        for (var retry = 0; ; retry++, learningRate /= 4)
        {
            try
            {
                return TrainAt(learningRate);
            }
            catch (DivergedException)
            {
                // Again, more carefully.
                if (retry == MostRetries) return new Trained(0, 0, 1, learningRate);
            }
        }

        Trained TrainAt(double at)
        {
            var graph = ModelGraph.Load(from);
            var (ran, watch) = (0, Stopwatch.StartNew());
            var done = new Trainer(_images!, Options(plan.BatchSize, steps, round, at))
            {
                Teacher = _logits,
                CheckpointPath = Path.ChangeExtension(to, ".checkpoint"),
                ProgressKept = _study.SaveProgress,
                IsCut = isCut,
                Advanced = share =>
                {
                    ran++;
                    advanced(share);
                },
            }.Run(graph, cancellationToken);
            if (!Provenance.Of(graph.Model).Any(t => t.Kind == "distilled")) Provenance.Add(graph.Model, TrainingRun.Distilled(SearchRun.ReferenceId, _teacher, Options(plan.BatchSize, steps, round, at)));
            ModelFile.Save(graph.Model, to);
            return new Trained(done, watch.Elapsed.TotalSeconds, Math.Max(ran, 1), at);
        }
    }

    /// <summary>Trains a calibrated model on the grids that it will lie on, to answer as the reference does.</summary>
    /// <param name="quantization">Calibrated.</param>
    /// <param name="steps">To train.</param>
    /// <param name="checkpoint">Where progress is kept.</param>
    /// <param name="isCut">Whether time is up.</param>
    /// <param name="advanced">Told the share 0…1 that is done.</param>
    /// <param name="cancellationToken">Ends the training after a step.</param>
    /// <exception cref="InvalidDataException">It cannot be trained, or its loss is no number any more.</exception>
    public PostTraining Tune(PostTraining quantization, int steps, string checkpoint, Func<bool> isCut, Action<double> advanced, CancellationToken cancellationToken)
    {
        var options = AwareTraining.Options(epochCount: 1, _setup.Seed);
        var trainer = new Trainer(_images!, options with { StepCount = steps, LearningRate = Math.Min(AwareTraining.UsualRate, _rate), BatchSize = Math.Min(AwareTraining.BatchSize, Plan!.BatchSize) })
        {
            Teacher = _logits, Grids = quantization.Grids(), CheckpointPath = checkpoint, ProgressKept = _study.SaveProgress, IsCut = isCut, Advanced = advanced,
        };
        return quantization.AfterTraining(trainer.Run(quantization.Plan.Graph, cancellationToken));
    }

    /// <summary>Seconds of a step of <see cref="Tune"/>, before any was measured: in float32, and rounding to grids takes about as long as the arithmetic.</summary>
    /// <param name="share">0…1 of the reference's multiply-accumulate operations.</param>
    public double TuningStepSeconds(double share) => 2 * (Plan!.UseBFloat16 ? 2 : 1) * Plan.StepSecondsOf(share) * Math.Min(1, (double)AwareTraining.BatchSize / Plan.BatchSize);

    public void Dispose()
    {
        _logits?.Dispose();
        _images?.Dispose();
        _teacher.Dispose();
    }

    private ModelGraph Reference() => ModelGraph.Load(_study.Model(SearchRun.ReferenceId));

    private TrainingOptions Options(int batchSize, int steps, int round, double rate) => new()
    {
        BatchSize = batchSize, StepCount = steps, FirstEpoch = round, LearningRate = rate, Seed = _setup.Seed, UseBFloat16 = Plan?.UseBFloat16 ?? false,
    };
}
