using Dunlin.Optimizer.Training;
using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>A trained residual network as an ONNX graph of Conv, Relu, Add, GlobalAveragePool, Flatten and Gemm; batch normalization is folded away.</summary>
internal sealed class ResidualGraph
{
    public const string InputName = "image";
    public const string OutputName = "logits";
    private const float NormEpsilon = 1e-5f;
    private readonly GraphProto _graph = new() { Name = "classifier" };
    private readonly Weights _weights;

    private ResidualGraph(Weights weights) => _weights = weights;

    /// <param name="spec">The shape of the network.</param>
    /// <param name="weights">By the names of the trainer.</param>
    /// <param name="side">Height and width of the image, pixels.</param>
    public static ModelProto Build(ResidualSpec spec, Weights weights, int side)
    {
        var builder = new ResidualGraph(weights);
        var graph = builder._graph;
        graph.Input.Add(Nodes.FloatValue(InputName, 1, 1, side, side));
        graph.Output.Add(Nodes.FloatValue(OutputName, 1, spec.ClassCount));

        var x = builder.Relu(builder.Convolution(InputName, "stem", spec.StemStride));
        foreach (var block in spec.Blocks()) x = builder.Block(x, block);
        x = builder.Add("GlobalAveragePool", [x], "pool");
        x = builder.Add("Flatten", [x], "features");
        builder.Initialize("head.weight");
        builder.Initialize("head.bias");
        builder.Add("Gemm", [x, "head.weight", "head.bias"], OutputName, Nodes.Int("transB", 1));

        var model = new ModelProto { IrVersion = ModelFile.IrVersion, ProducerName = "dunlin-optimizer", Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = ModelFile.OpsetVersion });
        return model;
    }

    private string Block(string x, ResidualBlockSpec block)
    {
        var y = Relu(Convolution(x, $"{block.Name}.conv1", block.Stride));
        y = Convolution(y, $"{block.Name}.conv2", stride: 1);
        var shortcut = block.HasProjection ? Convolution(x, $"{block.Name}.project", block.Stride) : x;
        return Relu(Add("Add", [y, shortcut], $"{block.Name}.add"));
    }

    private string Relu(string x) => Add("Relu", [x], $"{x}.relu");

    private string Convolution(string x, string layer, int stride)
    {
        var (shape, kernel) = _weights[$"{layer}.weight"];
        var (folded, bias) = FoldNorm(layer, kernel, (int)shape[0]);
        _graph.Initializer.Add(Tensors.Of($"{layer}.weight", folded, shape));
        _graph.Initializer.Add(Tensors.Of($"{layer}.bias", bias, shape[0]));
        var pad = shape[2] / 2;
        return Add("Conv", [x, $"{layer}.weight", $"{layer}.bias"], layer,
            Nodes.Ints("kernel_shape", shape[2], shape[3]), Nodes.Ints("strides", stride, stride), Nodes.Ints("pads", pad, pad, pad, pad));
    }

    // γ (w·x − μ) / √(σ² + ε) + β is a convolution again.
    private (float[] Kernel, float[] Bias) FoldNorm(string layer, float[] kernel, int channels)
    {
        float[] Norm(string name) => _weights[$"{layer}.norm.{name}"].Values;
        var (gain, offset, mean, variance) = (Norm("weight"), Norm("bias"), Norm("running_mean"), Norm("running_var"));
        var folded = new float[kernel.Length];
        var bias = new float[channels];
        var size = kernel.Length / channels;
        for (var c = 0; c < channels; c++)
        {
            var factor = gain[c] / MathF.Sqrt(variance[c] + NormEpsilon);
            bias[c] = offset[c] - mean[c] * factor;
            for (var i = c * size; i < (c + 1) * size; i++) folded[i] = kernel[i] * factor;
        }

        return (folded, bias);
    }

    private void Initialize(string name) => _graph.Initializer.Add(Tensors.Of(name, _weights[name].Values, _weights[name].Shape));

    private string Add(string operation, string[] inputs, string output, params AttributeProto[] attributes)
    {
        _graph.Node.Add(Nodes.Make(operation, inputs, output, attributes));
        return output;
    }
}
