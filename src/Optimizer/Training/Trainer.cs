using System.Diagnostics;
using Dunlin.Contracts.Artifacts;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Training.Execution;
using Google.Protobuf;
using Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training;

/// <summary>Trains a graph on labelled images, alone or as the student of another model. Held-out images are never looked at.</summary>
internal sealed class Trainer(PixelSet images, TrainingOptions options)
{
    private const int StatisticsBatchCount = 128;
    private static readonly TimeSpan BetweenCheckpoints = TimeSpan.FromSeconds(30);
    private readonly Augmentation _augmentation = new(images, options.Augmentations, options.Seed);
    private long _saved = Stopwatch.GetTimestamp();

    /// <summary>A model to learn from.</summary>
    public TeacherLogits? Teacher { get; init; }

    /// <summary>Grids that weights and activations are to lie on in the end; without them it is trained for float.</summary>
    public FakeQuantization? Grids { get; init; }

    /// <summary>Images that are not trained on, for <see cref="TrainingOptions.Patience"/>.</summary>
    public PixelSet? Check { get; init; }

    /// <summary>Threads that torch computes with.</summary>
    public int ThreadCount { get; init; } = Environment.ProcessorCount;

    /// <summary>Where to keep progress; null means nowhere.</summary>
    public string? CheckpointPath { get; init; }

    /// <summary>Told of progress of another run at <see cref="CheckpointPath"/>, which is kept under another name then; without it that is overwritten.</summary>
    public Action<string>? KeptAside { get; init; }

    /// <summary>Called when progress was kept at <see cref="CheckpointPath"/>.</summary>
    public Action? ProgressKept { get; init; }

    /// <summary>Called after each epoch.</summary>
    public Action<EpochResult>? EpochDone { get; init; }

    /// <summary>Called after each step with the share 0…1 of the whole run that is done.</summary>
    public Action<double>? Advanced { get; init; }

    /// <summary>Asked before each step whether there is no time for it; what was learnt is then kept.</summary>
    public Func<bool>? IsCut { get; init; }

    private int EpochSteps => images.Count / Math.Min(options.BatchSize, images.Count);

    private int StepCount => options.StepCount ?? options.EpochCount * EpochSteps;

    /// <summary>Trains to the end, and writes weights with exact batch statistics into the graph.</summary>
    /// <returns>Steps done, with those of a checkpoint that it went on from.</returns>
    /// <exception cref="InvalidDataException">The graph cannot be trained.</exception>
    /// <exception cref="DivergedException">The loss is no number any more.</exception>
    public int Run(ModelGraph graph, CancellationToken cancellationToken)
    {
        using var network = NewNetwork(graph);
        using var masters = new MasterWeights(network);

        var recipe = Checkpoint.RecipeOf(options, images.Key, Teacher?.Name ?? "none", Grids?.Key, Digest.Of(graph.Model.ToByteArray()));
        var checkpoint = CheckpointPath is null ? null : Checkpoint.TryLoad(CheckpointPath, recipe);
        if (checkpoint is null && CheckpointPath is not null && KeptAside is not null && Checkpoint.KeepAside(CheckpointPath, recipe) is { } kept) KeptAside(kept);
        if (checkpoint is not null) masters.Write(checkpoint.Weights, checkpoint.Velocity);
        var (done, best, isCut) = (checkpoint?.StepCount ?? 0, checkpoint?.Best, false);
        while (done < StepCount && !isCut && !IsStale(best, done / EpochSteps))
        {
            var watch = Stopwatch.StartNew();
            var epoch = done / EpochSteps;
            var end = Math.Min((epoch + 1) * EpochSteps, StepCount);
            var (reached, loss, accuracy) = TrainEpoch(network, masters, graph.Input, done, end, best, recipe, cancellationToken);
            (done, isCut) = (reached, reached < end);
            if (isCut) break;
            var check = options.Patience > 0 && Check is not null ? Answers.On(Check, network, graph.Input, options.BatchSize, cancellationToken) : null;
            if (check is not null && (best is null || check.Loss < best.Loss)) best = new BestEpoch(epoch + 1, check.Loss, masters.Read());
            Save(masters, recipe, done, best);
            EpochDone?.Invoke(new EpochResult(epoch + 1, loss, accuracy, watch.Elapsed, check));
        }

        MasterWeights.WriteTo(graph, best?.Weights ?? masters.Read());
        if (network.Statistics.Count > 0) MeasureStatistics(graph, cancellationToken);
        return done;
    }

    private bool IsStale(BestEpoch? best, int epoch) => options.Patience > 0 && best is not null && epoch - best.Epoch >= options.Patience;

    private void Save(MasterWeights masters, string recipe, int done, BestEpoch? best)
    {
        if (CheckpointPath is not null)
        {
            new Checkpoint(recipe, done, masters.Read(), masters.ReadVelocity(), best).Save(CheckpointPath);
            ProgressKept?.Invoke();
        }

        _saved = Stopwatch.GetTimestamp();
    }

    // From a step to the end of its epoch, or of all.
    private (int Reached, double Loss, double Accuracy) TrainEpoch(
        GraphNetwork network, MasterWeights masters, ModelInput input, int from, int to, BestEpoch? best, string recipe, CancellationToken cancellationToken)
    {
        var epoch = options.FirstEpoch + from / EpochSteps;
        var view = ViewOf(epoch);
        var batches = BatchesOf(epoch);
        batches.Skip(from % EpochSteps);
        var (lossSum, right, seen) = (0.0, 0L, 0L);
        network.train();
        var step = from;
        for (; step < to && IsCut?.Invoke() != true; step++)
        {
            if (cancellationToken.IsCancellationRequested || Stopwatch.GetElapsedTime(_saved) > BetweenCheckpoints) Save(masters, recipe, step, best);
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var batch = batches.Next(input);
            var (logits, loss) = Step(network, masters, batch, view, OneCycle.Rate(options.LearningRate, (double)step / StepCount), cancellationToken);
            if (!double.IsFinite(loss)) throw new DivergedException($"The loss became {loss} in epoch {epoch + 1}.");
            lossSum += loss * batch.Labels.shape[0];
            right += logits.argmax(1).eq(batch.Labels).sum().item<long>();
            seen += batch.Labels.shape[0];
            Advanced?.Invoke((double)step / StepCount);
        }

        return (step, lossSum / seen, (double)right / seen);
    }

    /// <summary>
    /// Trains a copy for a step at each of some rates, as <see cref="Run"/> would begin, and forgets it.
    /// </summary>
    /// <returns>
    /// The loss at each step, before it was made, and that of a network which holds all classes for equally likely; fewer where the loss is no
    /// number any more.
    /// </returns>
    public IReadOnlyList<(double Loss, double Ignorant)> Losses(ModelGraph graph, IReadOnlyList<double> rates, CancellationToken cancellationToken)
    {
        var losses = new List<(double, double)>();
        using var network = NewNetwork(graph);
        using var masters = new MasterWeights(network);
        network.train();
        for (var epoch = options.FirstEpoch; losses.Count < rates.Count; epoch++)
        {
            var batches = BatchesOf(epoch);
            for (var i = 0; i < EpochSteps && losses.Count < rates.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                var batch = batches.Next(graph.Input);
                var (logits, loss) = Step(network, masters, batch, ViewOf(epoch), rates[losses.Count], cancellationToken);
                if (!double.IsFinite(loss)) return losses;
                losses.Add((loss, LossOf(zeros_like(logits), batch, ViewOf(epoch), cancellationToken).item<float>()));
            }
        }

        return losses;
    }

    // Leaves the weights as they are where the loss is no number.
    private (Tensor Logits, double Loss) Step(GraphNetwork network, MasterWeights masters, Batch batch, int view, double rate, CancellationToken cancellationToken)
    {
        var logits = network.Logits(batch.Pixels).to(ScalarType.Float32);
        var loss = LossOf(logits, batch, view, cancellationToken);
        var value = loss.item<float>();
        if (!float.IsFinite(value)) return (logits, value);
        loss.backward();
        masters.Step(rate, options);
        return (logits.detach(), value);
    }

    private Tensor LossOf(Tensor logits, Batch batch, int view, CancellationToken cancellationToken)
    {
        var loss = nn.functional.cross_entropy(logits, batch.Labels, label_smoothing: options.LabelSmoothing);
        return Teacher is null ? loss : Distilled(loss, logits, tensor(Teacher.Of(batch.Indices, view, cancellationToken), logits.shape));
    }

    private GraphNetwork NewNetwork(ModelGraph graph)
    {
        TorchLibrary.Load();
        torch.set_num_threads(ThreadCount);
        torch.random.manual_seed(options.Seed);
        return new GraphNetwork(graph, options.UseBFloat16 ? ScalarType.BFloat16 : ScalarType.Float32, Around);
    }

    private Func<NodeProto, TorchOperation, TorchOperation>? Around => Grids is null ? null : Grids.Around;

    private int ViewOf(int epoch) => Teacher is null ? epoch : epoch % options.ViewCount;

    private Batches BatchesOf(int epoch) => new(images, _augmentation, ViewOf(epoch), options.BatchSize, new Random(HashCodeOf(options.Seed, epoch)));

    // Kullback-Leibler divergence from the softened teacher; times T², so that gradients keep their size (Hinton et al. 2015).
    private Tensor Distilled(Tensor labelLoss, Tensor logits, Tensor teacherLogits)
    {
        var t = options.Temperature;
        var target = nn.functional.log_softmax(teacherLogits.div(Scalars.Of(t)), 1);
        var student = nn.functional.log_softmax(logits.div(Scalars.Of(t)), 1);
        var teacherLoss = target.exp().mul(target.sub(student)).sum(1).mean().mul(Scalars.Of(t * t));
        return labelLoss.mul(Scalars.Of(1 - options.TeacherWeight)).add(teacherLoss.mul(Scalars.Of(options.TeacherWeight)), Scalars.Of(1));
    }

    // The running statistics lag behind the weights and saw bfloat16; these are means over batches in float32.
    private void MeasureStatistics(ModelGraph graph, CancellationToken cancellationToken)
    {
        using var network = new GraphNetwork(graph, around: Around);
        using var masters = new MasterWeights(network);
        network.train();
        var batches = new Batches(images, _augmentation, view: 0, 2 * options.BatchSize, new Random(options.Seed));
        using var _ = no_grad();
        for (var step = 0; step < Math.Min(StatisticsBatches, batches.Count); step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            network.NormMomentum = 1.0 / (step + 1);
            network.Logits(batches.Next(graph.Input).Pixels);
        }

        MasterWeights.WriteTo(graph, masters.Read());
    }

    // Of a short recovery they must not cost more than the recovery.
    private int StatisticsBatches => options.StepCount is { } steps ? Math.Clamp(steps / 4, 8, StatisticsBatchCount) : StatisticsBatchCount;

    private static int HashCodeOf(int seed, int epoch) => unchecked(seed * 1_000_003 + epoch);
}
