using System.Runtime.InteropServices;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Training.Execution;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training;

/// <summary>A step of two images that is forgotten: what torch refuses only while it computes is known before anything is begun.</summary>
internal static class TrainingTrial
{
    /// <param name="graph">Is only read.</param>
    /// <exception cref="InvalidDataException">It cannot be trained; the message says why.</exception>
    public static void Run(ModelGraph graph)
    {
        using var network = new GraphNetwork(graph);
        network.train();
        using var scope = NewDisposeScope();
        // Without chance: what is trained later draws the numbers that it would have drawn.
        long[] shape = [2, .. graph.Input.Shape.Skip(1)];
        using var images = linspace(-1, 1, shape.Aggregate(1L, (product, size) => product * size)).reshape(shape);
        try
        {
            nn.functional.cross_entropy(network.Logits(images).to(ScalarType.Float32), zeros(2, ScalarType.Int64)).backward();
        }
        catch (ExternalException error) when (TorchFailure.IsOfTheGraph(error))
        {
            throw new InvalidDataException(TorchFailure.Sentence(error), error);
        }
    }
}
