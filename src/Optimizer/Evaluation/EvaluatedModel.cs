using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Worker;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Google.Protobuf;

namespace Dunlin.Optimizer.Evaluation;

/// <summary>A model file with what must be known to run it.</summary>
internal sealed record EvaluatedModel(string Path, ModelGraph Graph, InputSpec Input, OutputSpec Output)
{
    /// <summary>Classes that it tells apart.</summary>
    public int OutputCount => (int)Graph.Shapes[Graph.Output][^1];

    /// <summary>What a device is given: the file as it is, or, where devices would refuse the shape of its scores, a copy in which they are flat.</summary>
    public string DeviceFile { get; private init; } = Path;

    /// <exception cref="InvalidDataException">Not a classifier of images; the message says why.</exception>
    public static EvaluatedModel Load(string path, IReadOnlyList<long>? inputShape, InputOptions options)
    {
        var graph = ModelGraph.Load(path, inputShape);
        return new EvaluatedModel(path, graph, options.For(graph), ModelEnds.OutputOf(graph.Model)) { DeviceFile = graph.HasFlattenedScores ? FlatCopy(path, graph) : path };
    }

    /// <summary>Loads the file as it is, not the simplified graph. For one thread.</summary>
    public Evaluator Open(IReadOnlyList<string> labels) => new(Session(labels, threads: 1));

    /// <summary>How a device would run the file.</summary>
    public SessionSpec Session(IReadOnlyList<string> labels, int threads) => Evaluator.Session(DeviceFile, Input, Output, labels, threads);

    // In the cache by its content, since other processes read it too.
    private static string FlatCopy(string path, ModelGraph graph)
    {
        var copy = System.IO.Path.Combine(CacheFolder.Path, "flat", Digest.Of(graph.Model.ToByteArray()).Hex[..16], System.IO.Path.GetFileName(path));
        if (!File.Exists(copy)) ModelFile.Save(graph.Model, copy);
        return copy;
    }
}
