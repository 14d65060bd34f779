using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Worker;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Evaluation;

/// <summary>A model file with what must be known to run it.</summary>
internal sealed record EvaluatedModel(string Path, ModelGraph Graph, InputSpec Input, OutputSpec Output)
{
    /// <summary>Classes that it tells apart.</summary>
    public int OutputCount => (int)Graph.Shapes[Graph.Output][^1];

    /// <exception cref="InvalidDataException">Not a classifier of images; the message says why.</exception>
    public static EvaluatedModel Load(string path, IReadOnlyList<long>? inputShape, InputOptions options)
    {
        var graph = ModelGraph.Load(path, inputShape);
        return new EvaluatedModel(path, graph, options.For(graph), ModelEnds.OutputOf(graph.Model));
    }

    /// <summary>Loads the file as it is, not the simplified graph. For one thread.</summary>
    public Evaluator Open(IReadOnlyList<string> labels) => new(Session(labels, threads: 1));

    /// <summary>How a device would run the file.</summary>
    public SessionSpec Session(IReadOnlyList<string> labels, int threads) => Evaluator.Session(Path, Input, Output, labels, threads);
}
