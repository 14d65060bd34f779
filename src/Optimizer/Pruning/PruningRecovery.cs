using System.CommandLine;
using Dunlin.Contracts.Manifests;
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
    private readonly SelfDistillation _training;
    private readonly string _result;
    private readonly int _epochCount;

    /// <param name="arguments">Of the command, with the options of <see cref="LearningData"/>.</param>
    /// <param name="data">To learn from.</param>
    /// <param name="graph">The model as it is.</param>
    /// <param name="model">Its file, which teaches.</param>
    /// <param name="result">The file that will be written; progress is kept beside it.</param>
    /// <param name="epochCount">After each round.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    public PruningRecovery(ParseResult arguments, LearningData data, ModelGraph graph, string model, string result, int epochCount, CancellationToken cancellationToken)
    {
        (_result, _epochCount) = (result, epochCount);
        var options = new TrainingOptions { EpochCount = epochCount, LearningRate = DistilCommand.UsualRate, UseBFloat16 = arguments.GetValue(TrainingRun.BFloat16) };
        _training = new SelfDistillation(arguments, data, graph, model, result, options, arguments.InvocationConfiguration.Output, cancellationToken);
    }

    /// <summary>The step as a manifest tells it.</summary>
    public Technique Technique => _training.Technique;

    /// <summary>Trains what is left after a round.</summary>
    /// <param name="graph">Is changed.</param>
    /// <param name="round">From 0.</param>
    /// <param name="cancellationToken">Ends it after a step.</param>
    /// <exception cref="DivergedException">Its loss is no number any more.</exception>
    public void Train(ModelGraph graph, int round, CancellationToken cancellationToken) => _training.Train(
        graph, $"round {round + 1}", grids: null, round * _epochCount, CheckpointOf(round),
        "Prune less at once with more --rounds, or without --recover, and train with distil and a lower --learning-rate.", cancellationToken);

    /// <summary>Removes what was kept to go on from.</summary>
    /// <param name="roundCount">Rounds that were trained.</param>
    public void Forget(int roundCount)
    {
        for (var round = 0; round < roundCount; round++) File.Delete(CheckpointOf(round));
    }

    public void Dispose() => _training.Dispose();

    private string CheckpointOf(int round) => Path.ChangeExtension(_result, $".{round + 1}.checkpoint");
}
