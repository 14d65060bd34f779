using System.Diagnostics;
using Dunlin.Optimizer.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training;

/// <summary>What an epoch brought.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Loss">Mean over the epoch.</param>
/// <param name="Accuracy">Share 0…1 of the augmented training images classified right while training.</param>
/// <param name="Duration">Wall time.</param>
internal sealed record EpochResult(int Epoch, double Loss, double Accuracy, TimeSpan Duration);

/// <summary>Trains a residual network on labelled images, alone or as the student of another. The test images are never looked at.</summary>
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

    /// <summary>Trains to the end and returns weights with exact batch statistics.</summary>
    public Weights Run(CancellationToken cancellationToken)
    {
        TorchLibrary.Load();
        torch.set_num_threads(ThreadCount);
        torch.random.manual_seed(options.Seed);
        using var network = new ResidualNetwork(options.Spec);
        if (options.UseBFloat16) network.UseBFloat16();
        using var masters = new MasterWeights(network);

        var recipe = Checkpoint.RecipeOf(options, Teacher?.Name ?? "none");
        var done = 0;
        if (CheckpointPath is not null && Checkpoint.TryLoad(CheckpointPath, recipe) is { } checkpoint)
        {
            masters.Write(checkpoint.Weights, checkpoint.Velocity);
            done = checkpoint.EpochCount;
        }

        for (var epoch = done; epoch < options.EpochCount; epoch++)
        {
            var watch = Stopwatch.StartNew();
            var (loss, accuracy) = TrainEpoch(network, masters, epoch, cancellationToken);
            if (!double.IsFinite(loss))
                throw new InvalidOperationException($"The loss became {loss} in epoch {epoch + 1}; train with a lower --learning-rate.");
            if (CheckpointPath is not null) new Checkpoint(recipe, epoch + 1, masters.Read(), masters.ReadVelocity()).Save(CheckpointPath);
            EpochDone?.Invoke(new EpochResult(epoch + 1, loss, accuracy, watch.Elapsed));
        }

        return MeasureStatistics(masters.Read(), cancellationToken);
    }

    private (double Loss, double Accuracy) TrainEpoch(ResidualNetwork network, MasterWeights masters, int epoch, CancellationToken cancellationToken)
    {
        var random = new Random(HashCodeOf(options.Seed, epoch));
        var batches = new Batches(images, mean, scale, options.BatchSize, random);
        var (lossSum, right, seen) = (0.0, 0L, 0L);
        network.train();
        for (var step = 0; step < batches.Count; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var (pixels, labels) = batches.Next();
            var input = options.UseBFloat16 ? pixels.to(ScalarType.BFloat16) : pixels;
            var logits = network.forward(input).to(ScalarType.Float32);
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
    private Weights MeasureStatistics(Weights trained, CancellationToken cancellationToken)
    {
        using var network = new ResidualNetwork(options.Spec);
        using var masters = new MasterWeights(network);
        masters.Write(trained, velocity: null);
        network.train();
        var batches = new Batches(images, mean, scale, batchSize: 256, new Random(options.Seed));
        using var _ = no_grad();
        for (var step = 0; step < Math.Min(StatisticsBatchCount, batches.Count); step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            network.SetNormMomentum(1.0 / (step + 1));
            network.forward(batches.Next().Pixels);
        }

        return masters.Read();
    }

    private static int HashCodeOf(int seed, int epoch) => unchecked(seed * 1_000_003 + epoch);

    /// <summary>One epoch of augmented batches in random order; a last, smaller one is left out.</summary>
    private sealed class Batches
    {
        private readonly LabelledImages _images;
        private readonly Augmentation _augmentation;
        private readonly Random _random;
        private readonly int[] _order;
        private readonly float[] _pixels;
        private readonly long[] _labels;
        private int _next;

        public Batches(LabelledImages images, float mean, float scale, int batchSize, Random random)
        {
            (_images, _random) = (images, random);
            _augmentation = new Augmentation(images, mean, scale);
            _order = [.. Enumerable.Range(0, images.Count)];
            random.Shuffle(_order);
            batchSize = Math.Min(batchSize, images.Count);
            _pixels = new float[batchSize * images.Width * images.Height];
            _labels = new long[batchSize];
            Count = images.Count / batchSize;
        }

        public int Count { get; }

        /// <summary>The pixels of the last batch.</summary>
        public ReadOnlyMemory<float> Pixels => _pixels;

        public (Tensor Pixels, Tensor Labels) Next()
        {
            var size = _images.Width * _images.Height;
            for (var i = 0; i < _labels.Length; i++)
            {
                var index = _order[_next++];
                _augmentation.Write(index, _random, _pixels.AsSpan(i * size, size));
                _labels[i] = _images.Labels[index];
            }

            return (tensor(_pixels, [_labels.Length, 1, _images.Height, _images.Width]), tensor(_labels));
        }
    }
}
