using Dunlin.Contracts.Manifests;

namespace Dunlin.TestKit.Onnx;

/// <summary>Small models that load everywhere. Input <c>input</c>, output <c>scores</c> (logits); all weights seeded.</summary>
public static class OnnxModels
{
    public const string Input = "input";
    public const string Output = "scores";

    /// <summary>What a manifest says of their output.</summary>
    public static OutputSpec Scores { get; } = new() { Tensor = Output, Activation = Activation.Softmax };

    /// <summary>What a manifest says of their input: a square RGB image, stretched, each value × <paramref name="scale"/>.</summary>
    public static InputSpec Pixels(int side = 8, ElementType type = ElementType.Float32, float scale = 1) => new()
    {
        Tensor = Input,
        Layout = TensorLayout.Nchw,
        Channels = ChannelOrder.Rgb,
        Width = side,
        Height = side,
        ElementType = type,
        Fit = FitMode.Stretch,
        Interpolation = Interpolation.Bilinear,
        Mean = [0, 0, 0],
        Scale = [scale, scale, scale],
    };

    /// <summary>NCHW float; <paramref name="depth"/> 3×3 convolutions of <paramref name="channels"/> channels, global average, dense layer.</summary>
    public static byte[] Tiny(int side = 8, int inputChannels = 3, int classes = 10, int channels = 8, int depth = 1, int seed = 1, bool openBatch = false, bool uint8 = false)
    {
        var random = new Random(seed);
        var graph = new OnnxGraph()
            .Input(Input, uint8 ? OnnxType.UInt8 : OnnxType.Float, openBatch ? -1 : 1, inputChannels, side, side)
            .Output(Output, OnnxType.Float, openBatch ? -1 : 1, classes);
        var current = Input;
        if (uint8)
        {
            graph.Node("Cast", [Input], ["cast"], NodeSetting.Integer("to", (int)OnnxType.Float));
            current = "cast";
        }

        for (var layer = 0; layer < depth; layer++)
        {
            var from = layer == 0 ? inputChannels : channels;
            graph.Weights($"w{layer}", Gaussian(random, channels * from * 9, MathF.Sqrt(2f / (from * 9))), channels, from, 3, 3)
                .Node("Conv", [current, $"w{layer}"], [$"conv{layer}"], NodeSetting.Integers("pads", 1, 1, 1, 1), NodeSetting.Integers("kernel_shape", 3, 3))
                .Node("Relu", [$"conv{layer}"], [$"relu{layer}"]);
            current = $"relu{layer}";
        }

        return Head(graph, current, depth == 0 ? inputChannels : channels, classes, Gaussian(random, classes * (depth == 0 ? inputChannels : channels), 1));
    }

    /// <summary>Names the brightest channel: class 0 red, 1 green, 2 blue of an rgb input in 0…1; logits are <paramref name="sharpness"/> times the channel means.</summary>
    public static byte[] BrightestChannel(int side = 8, float sharpness = 20, bool wrong = false)
    {
        var weights = new float[9];
        for (var i = 0; i < 3; i++) weights[i * 3 + (wrong ? (i + 1) % 3 : i)] = sharpness;
        var graph = new OnnxGraph().Input(Input, OnnxType.Float, 1, 3, side, side).Output(Output, OnnxType.Float, 1, 3);
        return Head(graph, Input, 3, 3, weights);
    }

    /// <summary>A network with <paramref name="megabytes"/> of weights, like a ResNet-18 of 45 MB: 512-channel 3×3 convolutions of 9.4 MB each.</summary>
    public static byte[] Heavy(int megabytes = 45, int side = 7) => Tiny(side, 3, 10, 512, 1 + (int)Math.Ceiling(megabytes / 9.44), seed: 2);

    /// <summary>Logits that are not numbers, whatever the image.</summary>
    public static byte[] NotANumber(int side = 8, int classes = 10)
    {
        var graph = new OnnxGraph().Input(Input, OnnxType.Float, 1, 3, side, side).Output(Output, OnnxType.Float, 1, classes);
        var weights = new float[classes * 3];
        Array.Fill(weights, float.NaN);
        return Head(graph, Input, 3, classes, weights);
    }

    /// <summary>
    /// As <see cref="BrightestChannel"/>, but not a number for images with a channel mean between 0.25 and 0.7: the square root of
    /// m² − 0.95 m + 0.175 is taken, times nothing. It passes a golden set of bright and dark channels and fails on a camera.
    /// </summary>
    public static byte[] NotANumberInBetween(int side = 8)
    {
        var weights = new float[9];
        for (var i = 0; i < 3; i++) weights[i * 4] = 20;
        return new OnnxGraph().Input(Input, OnnxType.Float, 1, 3, side, side).Output(Output, OnnxType.Float, 1, 3)
            .Weights("dense", weights, 3, 3).Weights("linear", [-0.95f], 1).Weights("constant", [0.175f], 1).Weights("nothing", [0f], 1)
            .Node("GlobalAveragePool", [Input], ["pooled"])
            .Node("Flatten", ["pooled"], ["flat"])
            .Node("Gemm", ["flat", "dense"], ["logits"], NodeSetting.Integer("transB", 1))
            .Node("Mul", ["flat", "flat"], ["square"])
            .Node("Mul", ["flat", "linear"], ["slope"])
            .Node("Add", ["square", "slope"], ["sum"])
            .Node("Add", ["sum", "constant"], ["polynomial"])
            .Node("Sqrt", ["polynomial"], ["root"])
            .Node("Mul", ["root", "nothing"], ["poison"])
            .Node("Add", ["logits", "poison"], [Output])
            .ToModel();
    }

    /// <summary>
    /// As <see cref="BrightestChannel"/>, but it wants gigabytes for an image with much contrast: the image is tiled the more often, before its
    /// means are taken, the more the variance of its channels exceeds 0.12. Even images, as of a golden set, and noise, 0.083, cost nothing;
    /// ffmpeg's testsrc makes it want more than two, and less than the four that ONNX Runtime lets a tile have.
    /// </summary>
    public static byte[] HungryForContrast(int side = 8)
    {
        var weights = new float[9];
        for (var i = 0; i < 3; i++) weights[i * 4] = 20;
        return new OnnxGraph().Input(Input, OnnxType.Float, 1, 3, side, side).Output(Output, OnnxType.Float, 1, 3)
            .Weights("dense", weights, 3, 3).Weights("minus", [-1f], 1).Weights("bearable", [-0.12f], 1).Weights("sum", [1f, 1f, 1f], 3, 1)
            .Weights("appetite", [4.6e7f * 64 / (side * side)], 1).Weights("last", [0f, 0f, 0f, 1f], 1, 4).Weights("ones", [1f, 1f, 1f, 1f], 4).Weights("length", [4L], 1)
            .Node("GlobalAveragePool", [Input], ["pooled"]).Node("Flatten", ["pooled"], ["flat"])
            .Node("Mul", [Input, Input], ["squares"]).Node("GlobalAveragePool", ["squares"], ["pooledSquares"]).Node("Flatten", ["pooledSquares"], ["flatSquares"])
            .Node("Mul", ["flat", "flat"], ["square"]).Node("Mul", ["square", "minus"], ["less"]).Node("Add", ["flatSquares", "less"], ["variance"])
            .Node("Add", ["variance", "bearable"], ["excess"]).Node("Relu", ["excess"], ["hunger"]).Node("Gemm", ["hunger", "sum"], ["whole"])
            .Node("Mul", ["whole", "appetite"], ["times"]).Node("Gemm", ["times", "last", "ones"], ["repeats"])
            .Node("Cast", ["repeats"], ["counts"], NodeSetting.Integer("to", (int)OnnxType.Int64)).Node("Reshape", ["counts", "length"], ["shape"])
            .Node("Tile", [Input, "shape"], ["tiled"]).Node("GlobalAveragePool", ["tiled"], ["means"]).Node("Flatten", ["means"], ["features"])
            .Node("Gemm", ["features", "dense"], [Output], NodeSetting.Integer("transB", 1))
            .ToModel();
    }

    private static byte[] Head(OnnxGraph graph, string features, int width, int classes, float[] weights) => graph
        .Weights("dense", weights, classes, width)
        .Node("GlobalAveragePool", [features], ["pooled"])
        .Node("Flatten", ["pooled"], ["flat"])
        .Node("Gemm", ["flat", "dense"], [Output], NodeSetting.Integer("transB", 1))
        .ToModel();

    private static float[] Gaussian(Random random, int count, float deviation)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = deviation * (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }
}
