using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Tests.Graph;

/// <summary>Weights of a network that was never trained, with statistics that make folding matter.</summary>
internal static class RandomWeights
{
    public static Weights For(ResidualSpec spec, int seed = 3)
    {
        var random = new Random(seed);
        var weights = new Weights();
        float[] Draw(long count, double low, double high) =>
            [.. Enumerable.Range(0, (int)count).Select(_ => (float)(low + random.NextDouble() * (high - low)))];
        void Layer(string name, int input, int output, int kernel)
        {
            var bound = Math.Sqrt(6.0 / (input * kernel * kernel));
            weights[$"{name}.weight"] = ([output, input, kernel, kernel], Draw(output * input * kernel * kernel, -bound, bound));
            weights[$"{name}.norm.weight"] = ([output], Draw(output, 0.5, 1.5));
            weights[$"{name}.norm.bias"] = ([output], Draw(output, -0.3, 0.3));
            weights[$"{name}.norm.running_mean"] = ([output], Draw(output, -0.2, 0.2));
            weights[$"{name}.norm.running_var"] = ([output], Draw(output, 0.5, 2));
        }

        Layer("stem", 1, spec.Widths[0], 3);
        foreach (var block in spec.Blocks())
        {
            Layer($"{block.Name}.conv1", block.Input, block.Output, 3);
            Layer($"{block.Name}.conv2", block.Output, block.Output, 3);
            if (block.HasProjection) Layer($"{block.Name}.project", block.Input, block.Output, 1);
        }

        weights["head.weight"] = ([spec.ClassCount, spec.Widths[^1]], Draw(spec.ClassCount * spec.Widths[^1], -0.5, 0.5));
        weights["head.bias"] = ([spec.ClassCount], Draw(spec.ClassCount, -0.5, 0.5));
        return weights;
    }
}
