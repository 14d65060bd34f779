using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.Optimizer.Tests.Quantization;
using Onnx;

namespace Dunlin.Optimizer.Tests.Graph;

public sealed class ModelPrecisionTests
{
    private static readonly ModelProto Model = Net();

    [Fact]
    public void LayersThatStayInFloatMakeAQuantizedModelMixed()
    {
        var graph = ModelGraph.Of(Model.Clone());
        Assert.Equal(Precision.Fp32, ModelPrecision.Of(graph));
        var quantization = PostTraining.Calibrate(graph, Pictures.Make(Model, 16, seed: 3), new QuantizationOptions(), TestContext.Current.CancellationToken);
        Precision Of(params HashSet<string> kept) => ModelPrecision.Of(ModelGraph.Of(quantization.Quantize(kept, TestContext.Current.CancellationToken).Model));
        Assert.Equal(Precision.Int8, Of());
        Assert.Equal(Precision.Mixed, Of(quantization.Plan.Layers[0].Name));
    }

    [Fact]
    public void AModelOfHalfPrecisionIsKnownByItsWeights()
    {
        var graph = ModelGraph.Of(Model.Clone());
        foreach (var weights in graph.Model.Graph.Initializer) weights.DataType = (int)TensorProto.Types.DataType.Float16;
        Assert.Equal(Precision.Fp16, ModelPrecision.Of(graph));
    }

    private static ModelProto Net()
    {
        var net = new NetBuilder(seed: 2);
        return net.Build(net.Linear(net.Mean(net.Conv(net.Conv(NetBuilder.Image, 8), 8)), 4));
    }
}
