using System.Diagnostics;
using Dunlin.Contracts.Artifacts;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Training.Execution;
using Google.Protobuf;
using TorchSharp;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training;

/// <summary>What an epoch brought.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Loss">Mean over the epoch.</param>
/// <param name="Accuracy">Share 0…1 of the augmented training images classified right while training.</param>
/// <param name="Duration">Wall time.</param>
internal sealed record EpochResult(int Epoch, double Loss, double Accuracy, TimeSpan Duration);

/// <summary>Trains a graph on labelled images, alone or as the student of another model. The test images are never looked at.</summary>
internal sealed class Trainer(LabelledImages images, TrainingOptions options, float mean, float scale)
{
    private const int StatisticsBatchCount = 128;

    /// <summary>A model to learn from.</summary>
    public OnnxTeacher? Teacher { get; init; }

    /// <summary>Threads that torch computes with.</summary>
    public int ThreadCount { get; init; } = Environment.ProcessorCount;

    /// <summary>Where to keep progress; null means nowhere.</summary>
    public string? CheckpointPath { get; init; }

    /// <summary>Called after each epoch.</summary>
    public Action<EpochResult>? EpochDone { get; init; }

    /// <summary>Called after each step with the share 0…1 of the whole run that is done.</summary>
    public Action<double>? Advanced { get; init; }

    /// <summary>Trains to the end, and writes weights with exact batch statistics into the graph.</summary>
    /// <exception cref="InvalidDataException">The graph takes other images, has other classes, or cannot be trained.</exception>
    public void Run(ModelGraph graph, CancellationToken cancellationToken)
    {
        RequireFit(graph, images);
        TorchLibrary.Load();
        torch.set_num_threads(ThreadCount);
        torch.random.manual_seed(options.Seed);
        using var network = new GraphNetwork(graph, options.UseBFloat16 ? ScalarType.BFloat16 : ScalarType.Float32);
        using var masters = new MasterWeights(network);

        var recipe = Checkpoint.RecipeOf(options, Teacher?.Name ?? "none", Digest.Of(graph.Model.ToByteArray()));
        var done = 0;
        if (CheckpointPath is not null && Checkpoint.TryLoad(CheckpointPath, recipe) is { } checkpoint)
        {
            masters.Write(checkpoint.Weights, checkpoint.Velocity);
            done = checkpoint.EpochCount;
        }

        for (var epoch = done; epoch < options.EpochCount; epoch++)
        {
            var watch = Stopwatch.StartNew();
            var (loss, accuracy) = TrainEpoch(network, masters, graph.Input, epoch, cancellationToken);
            if (!double.IsFinite(loss))
                throw new InvalidDataException($"The loss became {loss} in epoch {epoch + 1}; train with a lower --learning-rate.");
            if (CheckpointPath is not null) new Checkpoint(recipe, epoch + 1, masters.Read(), masters.ReadVelocity()).Save(CheckpointPath);
            EpochDone?.Invoke(new EpochResult(epoch + 1, loss, accuracy, watch.Elapsed));
        }

        MasterWeights.WriteTo(graph, masters.Read());
        if (network.Statistics.Count > 0) MeasureStatistics(graph, cancellationToken);
    }

    /// <exception cref="InvalidDataException">The graph takes other images, or has other classes.</exception>
    public static void RequireFit(ModelGraph graph, LabelledImages images)
    {
        if (graph.Input.Shape.Aggregate(1L, (a, b) => a * b) != images.Width * images.Height)
            throw new InvalidDataException($"The model takes {string.Join('×', graph.Input.Shape)} where the images are 1×1×{images.Height}×{images.Width}.");
        var scores = graph.Shapes[graph.Output];
        if (scores.Length != 2 || scores[1] != images.ClassNames.Count)
            throw new InvalidDataException($"The model gives {string.Join('×', scores)} scores where the data has {images.ClassNames.Count} classes.");
    }

    private (double Loss, double Accuracy) TrainEpoch(GraphNetwork network, MasterWeights masters, ModelInput input, int epoch, CancellationToken cancellationToken)
    {
        var random = new Random(HashCodeOf(options.Seed, epoch));
        var batches = new Batches(images, mean, scale, options.BatchSize, random);
        var (lossSum, right, seen) = (0.0, 0L, 0L);
        network.train();
        for (var step = 0; step < batches.Count; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var (pixels, labels) = batches.Next(input);
            var logits = network.Logits(pixels).to(ScalarType.Float32);
            var loss = nn.functional.cross_entropy(logits, labels, label_smoothing: options.LabelSmoothing);
            if (Teacher is not null) loss = Distilled(loss, logits, tensor(Teacher.Logits(batches.Pixels), logits.shape));
            loss.backward();

            var progress = (epoch + (double)step / batches.Count) / options.EpochCount;
            masters.Step(OneCycle.Rate(options.LearningRate, progress), options);
            lossSum += loss.item<float>() * labels.shape[0];
            right += logits.argmax(1).eq(labels).sum().item<long>();
            seen += labels.shape[0];
            Advanced?.Invoke(progress);
        }

        return (lossSum / seen, (double)right / seen);
    }

    // Cross-entropy against the softened teacher; times T², so that gradients keep their size (Hinton et al. 2015).
    private Tensor Distilled(Tensor labelLoss, Tensor logits, Tensor teacherLogits)
    {
        var t = options.Temperature;
        var target = nn.functional.softmax(teacherLogits.div(t), 1);
        var student = nn.functional.log_softmax(logits.div(t), 1);
        var teacherLoss = target.mul(student).sum(1).mean().mul(-t * t);
        return labelLoss.mul(1 - options.TeacherWeight).add(teacherLoss.mul(options.TeacherWeight));
    }

    // The running statistics lag behind the weights and saw bfloat16; these are means over batches in float32.
    private void MeasureStatistics(ModelGraph graph, CancellationToken cancellationToken)
    {
        using var network = new GraphNetwork(graph);
        using var masters = new MasterWeights(network);
        network.train();
        var batches = new Batches(images, mean, scale, batchSize: 256, new Random(options.Seed));
        using var _ = no_grad();
        for (var step = 0; step < Math.Min(StatisticsBatchCount, batches.Count); step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            network.NormMomentum = 1.0 / (step + 1);
            network.Logits(batches.Next(graph.Input).Pixels);
        }

        MasterWeights.WriteTo(graph, masters.Read());
    }

    private static int HashCodeOf(int seed, int epoch) => unchecked(seed * 1_000_003 + epoch);
}
