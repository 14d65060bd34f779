using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Training;

/// <summary>A residual network that was never trained, as an ONNX graph of Conv, BatchNormalization, Relu, Add, GlobalAveragePool, Flatten and Gemm.</summary>
internal sealed class ResidualGraph
{
    private const string InputName = "image";
    private const string OutputName = "logits";
    private readonly GraphProto _graph = new() { Name = "classifier" };

    /// <param name="spec">The shape of the network.</param>
    /// <param name="input">One image: 1 × channels × height × width.</param>
    /// <param name="seed">Another seed, other weights.</param>
    public static ModelProto Build(ResidualSpec spec, IReadOnlyList<long> input, int seed)
    {
        var builder = new ResidualGraph();
        var graph = builder._graph;
        graph.Input.Add(Nodes.FloatValue(InputName, [.. input]));
        graph.Output.Add(Nodes.FloatValue(OutputName, 1, spec.ClassCount));

        var x = builder.Relu(builder.Convolution(InputName, "stem", (int)input[1], spec.Widths[0], kernel: 3, spec.StemStride));
        foreach (var block in spec.Blocks()) x = builder.Block(x, block);
        x = builder.Add("GlobalAveragePool", [x], "pool");
        x = builder.Add("Flatten", [x], "features");
        builder.Initialize("head.weight", spec.ClassCount, spec.FeatureCount);
        builder.Initialize("head.bias", spec.ClassCount);
        builder.Add("Gemm", [x, "head.weight", "head.bias"], OutputName, Nodes.Int("transB", 1));
        FreshWeights.Draw(graph, seed);

        var model = new ModelProto { IrVersion = ModelFile.IrVersion, ProducerName = "dunlin-optimizer", Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = ModelFile.OpsetVersion });
        return model;
    }

    private string Block(string x, ResidualBlockSpec block)
    {
        var y = block.Bottleneck is { } inside ? Bottleneck(x, block, inside) : Basic(x, block);
        var shortcut = block.HasProjection ? Convolution(x, $"{block.Name}.project", block.Input, block.Output, kernel: 1, block.Stride) : x;
        return Relu(Add("Add", [y, shortcut], $"{block.Name}.add"));
    }

    private string Basic(string x, ResidualBlockSpec block)
    {
        var y = Relu(Convolution(x, $"{block.Name}.conv1", block.Input, block.Output, kernel: 3, block.Stride));
        return Convolution(y, $"{block.Name}.conv2", block.Output, block.Output, kernel: 3, stride: 1);
    }

    // The stride is the 3×3 convolution's, as torchvision has it.
    private string Bottleneck(string x, ResidualBlockSpec block, int inside)
    {
        var y = Relu(Convolution(x, $"{block.Name}.conv1", block.Input, inside, kernel: 1, stride: 1));
        y = Relu(Convolution(y, $"{block.Name}.conv2", inside, inside, kernel: 3, block.Stride));
        return Convolution(y, $"{block.Name}.conv3", inside, block.Output, kernel: 1, stride: 1);
    }

    private string Relu(string x) => Add("Relu", [x], $"{x}.relu");

    private string Convolution(string x, string layer, int input, int output, int kernel, int stride)
    {
        Initialize($"{layer}.weight", output, input, kernel, kernel);
        foreach (var part in (ReadOnlySpan<string>)["weight", "bias", "mean", "variance"]) Initialize($"{layer}.norm.{part}", output);
        var pad = kernel / 2;
        var y = Add("Conv", [x, $"{layer}.weight"], layer,
            Nodes.Ints("kernel_shape", kernel, kernel), Nodes.Ints("strides", stride, stride), Nodes.Ints("pads", pad, pad, pad, pad));
        return Add("BatchNormalization", [y, $"{layer}.norm.weight", $"{layer}.norm.bias", $"{layer}.norm.mean", $"{layer}.norm.variance"], $"{layer}.norm", Nodes.Float("epsilon", 1e-5f));
    }

    private void Initialize(string name, params ReadOnlySpan<long> shape)
    {
        var count = 1L;
        foreach (var size in shape) count *= size;
        _graph.Initializer.Add(Tensors.Of(name, new float[count], shape));
    }

    private string Add(string operation, string[] inputs, string output, params AttributeProto[] attributes)
    {
        _graph.Node.Add(Nodes.Make(operation, inputs, output, attributes));
        return output;
    }
}
