using System.Numerics.Tensors;
using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>What a model says of some images, as probabilities, to be held against what another says.</summary>
internal sealed class Scores
{
    private const double Smallest = 1e-9;
    private readonly IReadOnlyList<double[]> _probabilities;

    private Scores(IReadOnlyList<double[]> probabilities) => _probabilities = probabilities;

    public static Scores Of(ModelProto model, ModelInput input, IEnumerable<float[]> images, CancellationToken cancellationToken)
    {
        using var run = new ModelRun(model, input);
        var areProbabilities = ModelEnds.GivesProbabilities(model);
        var all = new List<double[]>();
        foreach (var image in images)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var scores = run.Scores(image);
            all.Add(areProbabilities ? Shares(scores) : Softmax(scores));
        }

        return new Scores(all);
    }

    /// <summary>The best class of each image.</summary>
    public IEnumerable<int> Best => _probabilities.Select(p => Array.IndexOf(p, p.Max()));

    /// <summary>The share of images with the same best class.</summary>
    public double Agreement(Scores other) => Best.Zip(other.Best).Average(p => p.First == p.Second ? 1.0 : 0);

    /// <summary>The share of images whose best class is the label.</summary>
    public double Accuracy(IReadOnlyList<int> labels) => Best.Zip(labels).Average(p => p.First == p.Second ? 1.0 : 0);

    /// <summary>The mean Kullback-Leibler divergence from this, the reference, to another, in nats.</summary>
    public double Divergence(Scores other) => _probabilities.Zip(other._probabilities).Average(pair =>
        pair.First.Zip(pair.Second).Sum(p => p.First <= Smallest ? 0 : p.First * Math.Log(p.First / Math.Max(p.Second, Smallest))));

    // Those of a sigmoid do not add up to one.
    private static double[] Shares(float[] scores)
    {
        var sum = Math.Max(scores.Sum(s => (double)s), Smallest);
        return [.. scores.Select(s => s / sum)];
    }

    private static double[] Softmax(float[] scores)
    {
        double[] probabilities = [.. scores];
        // The largest becomes 0, so that no power overflows.
        TensorPrimitives.Subtract(probabilities, TensorPrimitives.Max<double>(probabilities), probabilities);
        TensorPrimitives.SoftMax<double>(probabilities, probabilities);
        return probabilities;
    }
}
