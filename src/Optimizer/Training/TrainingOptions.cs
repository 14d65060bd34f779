using Dunlin.Optimizer.Data;
using Dunlin.Runtime.Racing;

namespace Dunlin.Optimizer.Training;

/// <summary>How a network is trained.</summary>
internal sealed record TrainingOptions
{
    public int EpochCount { get; init; } = 10;

    /// <summary>Steps to train, also within an epoch; null: <see cref="EpochCount"/> epochs.</summary>
    public int? StepCount { get; init; }

    /// <summary>Whose order of images and views the first epoch has: training that goes on from other training should not begin with the same again.</summary>
    public int FirstEpoch { get; init; }

    public int BatchSize { get; init; } = 128;

    /// <summary>The peak of the one-cycle schedule.</summary>
    public double LearningRate { get; init; } = 0.1;

    public double WeightDecay { get; init; } = 5e-4;

    public double Momentum { get; init; } = 0.9;

    /// <summary>The share of the target spread over all classes.</summary>
    public double LabelSmoothing { get; init; } = 0.05;

    /// <summary>Divides the logits of teacher and student before the softmax (Hinton, Vinyals and Dean 2015).</summary>
    public double Temperature { get; init; } = 3;

    /// <summary>The weight of the teacher against the labels, 0…1.</summary>
    public double TeacherWeight { get; init; } = 0.9;

    /// <summary>With a teacher, epochs go through so many views of each image, and the teacher looks at each once. Without one, each epoch has its own view.</summary>
    public int ViewCount { get; init; } = 4;

    /// <summary>What a view may change.</summary>
    public Augmentations Augmentations { get; init; } = Augmentations.All;

    /// <summary>Epochs without a better answer on the images of the check before training ends with the best weights; 0: it goes to its end and takes the last.</summary>
    public int Patience { get; init; }

    public int Seed { get; init; } = 1;

    /// <summary>bfloat16 arithmetic with float32 master weights: faster on a CPU with avx512_bf16, far slower on others.</summary>
    public bool UseBFloat16 { get; init; }

    /// <summary>This machine's processor computes in it.</summary>
    public static bool HasBFloat16 { get; } = BoardFacts.Read().CpuFlags.Contains("avx512_bf16");
}
