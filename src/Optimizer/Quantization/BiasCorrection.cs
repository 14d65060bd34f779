using System.Runtime.InteropServices;
using Dunlin.Optimizer.Graph;
using Google.Protobuf;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>
/// Takes out of each bias the mean error that quantization brings into its layer, channel by channel, layer after layer, so that
/// each is measured with those before it corrected already (Nagel et al. 2019, Data-Free Quantization, the empirical variant of its appendix). An eighth
/// of the images at either end does not count: one that is clipped where all others are not says nothing of them.
/// </summary>
internal static class BiasCorrection
{
    /// <summary>What the images' largest activation may take together, in bytes; several of that size live at once.</summary>
    private const long LargestActivations = 128L << 20;
    private const int FewestImages = 8;

    /// <summary>One of so many, at either end.</summary>
    private const int TrimmedShare = 8;

    /// <summary>Gives layers without a bias one of zeros, which can be corrected.</summary>
    public static void AddMissing(ModelGraph graph)
    {
        foreach (var layer in graph.Nodes.Where(n => n.OpType is "Conv" or "Gemm" && Nodes.InputOf(n, 2) is null && IntegerOperators.KindOf(graph, n) != IntegerKind.None).ToList())
        {
            var count = graph.Constant(layer.Input[1])!.Dims[IntegerOperators.ChannelAxis(layer)];
            var name = graph.FreshName($"{layer.Name}.bias");
            graph.SetConstant(Tensors.Of(name, new float[count], count));
            while (layer.Input.Count > 2) layer.Input.RemoveAt(2);
            layer.Input.Add(name);
        }

        graph.Changed();
    }

    /// <summary>How many images fit: walking layer by layer keeps the activations of all of them.</summary>
    public static int ImageCount(ModelGraph graph)
    {
        var largest = graph.Nodes.SelectMany(n => n.Output).Max(o => graph.Shapes.TryGet(o)?.Aggregate(4L, (a, b) => a * b) ?? 0);
        return (int)Math.Clamp(LargestActivations / Math.Max(largest, 1), FewestImages, 256);
    }

    /// <param name="plan">That the model was quantized by.</param>
    /// <param name="quantized">Its biases are corrected in place.</param>
    /// <param name="images">Preprocessed; as many as <see cref="ImageCount"/> says, at most.</param>
    /// <param name="cancellationToken">Checked before each layer.</param>
    /// <returns>The root mean square of all channels' mean errors, as they were found.</returns>
    public static double Apply(QuantizationPlan plan, ModelProto quantized, IReadOnlyList<float[]> images, CancellationToken cancellationToken)
    {
        var layers = plan.Layers.Where(l => Nodes.InputOf(l, 2) is not null).ToList();
        if (layers.Count == 0) return 0;
        var expected = FloatMeans(plan.Graph, layers, images);
        var constants = quantized.Graph.Initializer.ToDictionary(i => i.Name);
        using var walk = new LayerWalk(quantized, plan.Graph.Input, images);
        var (squares, channels) = (0.0, 0);
        foreach (var layer in layers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var values = walk.To(quantized.Graph.Node.First(n => n.Name == layer.Name).Output[0]);
            var shape = plan.Graph.Shapes[layer.Output[0]];
            var found = values.Select(value => ChannelMeans.Of(value.GetTensorDataAsSpan<float>(), shape)).ToList();
            var error = TrimmedErrors(found, expected[layer.Name]);
            var (bias, scales) = QdqQuantizer.BiasOf(layer)!.Value;
            var taken = Correct(constants[bias], constants[scales], error);
            foreach (var value in values) ChannelMeans.Subtract(value.GetTensorMutableDataAsSpan<float>(), shape, taken);
            squares += error.Sum(e => e * e);
            channels += error.Length;
        }

        return Math.Sqrt(squares / channels);
    }

    // For each layer and image, the mean of each channel before the activation.
    private static Dictionary<string, List<float[]>> FloatMeans(ModelGraph graph, IReadOnlyList<NodeProto> layers, IReadOnlyList<float[]> images)
    {
        var means = layers.ToDictionary(l => l.Name, _ => new List<float[]>());
        using var run = new ModelRun(graph.Model, graph.Input, [.. layers.Select(l => l.Output[0])]);
        foreach (var image in images)
        {
            using var results = run.Run(image);
            foreach (var (layer, result) in layers.Zip(results))
                means[layer.Name].Add(ChannelMeans.Of(result.GetTensorDataAsSpan<float>(), graph.Shapes[layer.Output[0]]));
        }

        return means;
    }

    private static double[] TrimmedErrors(List<float[]> found, List<float[]> expected)
    {
        var (errors, ofImages, trimmed) = (new double[found[0].Length], new float[found.Count], found.Count / TrimmedShare);
        for (var c = 0; c < errors.Length; c++)
        {
            for (var i = 0; i < ofImages.Length; i++) ofImages[i] = found[i][c] - expected[i][c];
            Array.Sort(ofImages);
            errors[c] = ofImages.Skip(trimmed).SkipLast(trimmed).Average(e => (double)e);
        }

        return errors;
    }

    private static float[] Correct(TensorProto bias, TensorProto scales, double[] error)
    {
        var steps = MemoryMarshal.Cast<byte, int>(bias.RawData.Span).ToArray();
        var scale = Tensors.Floats(scales);
        var taken = new float[steps.Length];
        for (var c = 0; c < steps.Length; c++)
        {
            var corrected = (int)Math.Clamp(steps[c] - Math.Round(error[c] / scale[c]), int.MinValue, int.MaxValue);
            taken[c] = (float)(((double)steps[c] - corrected) * scale[c]);
            steps[c] = corrected;
        }

        bias.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<int>(steps));
        return taken;
    }
}
