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
    /// <summary>Batches are small, so that few images make many steps.</summary>
    public static TrainingOptions Options(int epochCount, int seed) => new()
    {
        EpochCount = epochCount, Seed = seed, BatchSize = 32, LearningRate = 0.01, WeightDecay = 0, TeacherWeight = 1, Temperature = 1,
    };

    /// <summary>Trains with all training images of a command's data, and keeps progress beside the file that it will write.</summary>
    public static PostTraining Run(
        ParseResult arguments, PostTraining quantization, LearningData data, string model, string result, int epochCount, int seed, CancellationToken cancellationToken)
    {
        var options = Options(epochCount, seed);
        options = options with { BatchSize = ActivationMemory.BatchSize(quantization.Plan.Graph, options.BatchSize) };
        using var teacher = TrainingRun.TeacherOf(arguments, model, data);
        using var images = data.Read(SplitPart.Train, int.MaxValue, seed, cancellationToken);
        using var logits = new TeacherLogits(teacher, images, options, Environment.ProcessorCount, Path.GetDirectoryName(result));
        // Standard output may be JSON.
        var said = arguments.InvocationConfiguration.Error;
        said.WriteLine($"training on the grids: {images.Count} images, {epochCount} epochs of batches of {Math.Min(options.BatchSize, images.Count)}");
        return Run(quantization, images, logits, options, Environment.ProcessorCount, Path.ChangeExtension(result, ".checkpoint"), e => said.WriteLine(TrainingRun.Line(e)), cancellationToken);
    }

    /// <param name="quantization">Calibrated; the weights of its graph are changed.</param>
    /// <param name="images">To train with.</param>
    /// <param name="teacher">The float model's answers on them.</param>
    /// <param name="options">Of <see cref="Options"/>.</param>
    /// <param name="threadCount">Of torch.</param>
    /// <param name="checkpoint">Where progress is kept; null means nowhere.</param>
    /// <param name="epochDone">Called after each epoch.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    /// <returns>What quantizes the trained weights.</returns>
    /// <exception cref="InvalidDataException">The graph cannot be trained, or its loss is no number any more.</exception>
    public static PostTraining Run(
        PostTraining quantization, PixelSet images, TeacherLogits teacher, TrainingOptions options, int threadCount, string? checkpoint, Action<EpochResult>? epochDone, CancellationToken cancellationToken)
    {
        new Trainer(images, options) { Teacher = teacher, Grids = quantization.Grids(), ThreadCount = threadCount, CheckpointPath = checkpoint, EpochDone = epochDone }.Run(quantization.Plan.Graph, cancellationToken);
        return quantization.AfterTraining();
    }
}
