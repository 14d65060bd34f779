using System.CommandLine;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Pruning;

/// <summary>
/// Wins back after each round what pruning cost: the model is trained to answer as it did before the first. Many small cuts with training
/// between them lose less than one of the same size (Han et al. 2015; Molchanov et al. 2017). Interrupted, the same command goes on.
/// </summary>
internal sealed class PruningRecovery : IDisposable
{
    private readonly TrainingOptions _options;
    private readonly OnnxTeacher _teacher;
    private readonly PixelSet _images;
    private readonly TeacherLogits _logits;
    private readonly string _model, _result;
    private readonly TextWriter _said, _errors;

    /// <param name="arguments">Of the command, with the options of <see cref="LearningData"/>.</param>
    /// <param name="data">To learn from.</param>
    /// <param name="graph">The model as it is.</param>
    /// <param name="model">Its file, which teaches.</param>
    /// <param name="result">The file that will be written; progress is kept beside it.</param>
    /// <param name="epochCount">After each round.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    public PruningRecovery(ParseResult arguments, LearningData data, ModelGraph graph, string model, string result, int epochCount, CancellationToken cancellationToken)
    {
        (_model, _result, _said, _errors) = (model, result, arguments.InvocationConfiguration.Output, arguments.InvocationConfiguration.Error);
        _options = new TrainingOptions { EpochCount = epochCount, LearningRate = DistilCommand.UsualRate, UseBFloat16 = arguments.GetValue(TrainingRun.BFloat16) };
        _options = _options with { BatchSize = ActivationMemory.BatchSize(graph, _options.BatchSize) };
        _teacher = TrainingRun.TeacherOf(arguments, model, data);
        _images = data.Read(SplitPart.Train, int.MaxValue, _options.Seed, cancellationToken);
        _logits = new TeacherLogits(_teacher, _images.As(_teacher.Input), _options, Environment.ProcessorCount, Path.GetDirectoryName(result));
    }

    /// <summary>The step as a manifest tells it.</summary>
    public Contracts.Manifests.Technique Technique => TrainingRun.Distilled(Path.GetFileName(_model), _teacher, _options);

    /// <summary>Trains what is left after a round.</summary>
    /// <param name="graph">Is changed.</param>
    /// <param name="round">From 0.</param>
    /// <param name="cancellationToken">Ends it after a step.</param>
    /// <exception cref="DivergedException">Its loss is no number any more.</exception>
    public void Train(ModelGraph graph, int round, CancellationToken cancellationToken)
    {
        _said.WriteLine($"round {round + 1}: {_images.Count} images, {_options.EpochCount} epochs of batches of {Math.Min(_options.BatchSize, _images.Count)}");
        var options = _options with { FirstEpoch = round * _options.EpochCount };
        options = TrainingRun.WithRateThatIsBorne(options, new Trainer(_images, options) { Teacher = _logits }, graph, _said, cancellationToken);
        using var interrupted = Bars.None(_said).SayWhenInterrupted(_errors, CheckpointOf(round), cancellationToken);
        try
        {
            new Trainer(_images, options)
            {
                Teacher = _logits,
                CheckpointPath = CheckpointOf(round),
                KeptAside = _said.WriteLine,
                EpochDone = e => _said.WriteLine(TrainingRun.Line(e)),
            }.Run(graph, cancellationToken);
        }
        catch (DivergedException error)
        {
            throw new DivergedException($"{error.Message} Prune less at once with more --rounds, or without --recover, and train with distil and a lower --learning-rate.");
        }
    }

    /// <summary>Removes what was kept to go on from.</summary>
    /// <param name="roundCount">Rounds that were trained.</param>
    public void Forget(int roundCount)
    {
        for (var round = 0; round < roundCount; round++) File.Delete(CheckpointOf(round));
    }

    public void Dispose()
    {
        _logits.Dispose();
        _images.Dispose();
        _teacher.Dispose();
    }

    private string CheckpointOf(int round) => Path.ChangeExtension(_result, $".{round + 1}.checkpoint");
}
