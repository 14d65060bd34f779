using System.CommandLine;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Quantization;

/// <summary>
/// Wins back what quantization after training loses: the weights are trained on the grids that they will lie on, to answer as the float model
/// does, for which no labels are needed. The ranges of activations stay as calibrated: the weights come to suit them within a few epochs, where
/// learnt ranges (Esser et al. 2020, LSQ) are for fewer bits and many epochs.
/// </summary>
internal static class AwareTraining
{
    /// <summary>Small, so that few images make many steps.</summary>
    public const int BatchSize = 32;

    /// <summary>The peak, if the network bears it.</summary>
    public const double UsualRate = 0.01;

    public static TrainingOptions Options(int epochCount, int seed) => new()
    {
        EpochCount = epochCount, Seed = seed, BatchSize = BatchSize, LearningRate = UsualRate, WeightDecay = 0, TeacherWeight = 1, Temperature = 1,
    };

    /// <summary>Trains with all training images of a command's data, and keeps progress beside the file that it will write.</summary>
    public static PostTraining Run(
        ParseResult arguments, PostTraining quantization, LearningData data, string model, string result, int epochCount, int seed, CancellationToken cancellationToken)
    {
        // Standard output may be JSON.
        using var training = new SelfDistillation(arguments, data, quantization.Plan.Graph, model, result, Options(epochCount, seed), arguments.InvocationConfiguration.Error, cancellationToken);
        return quantization.AfterTraining(training.Train(
            quantization.Plan.Graph, "training on the grids", quantization.Grids(), firstEpoch: 0, Path.ChangeExtension(result, ".checkpoint"),
            "The weights cannot be trained on their grids; quantize without --qat-epochs, and with --limit if layers may stay in float.", cancellationToken));
    }
}
