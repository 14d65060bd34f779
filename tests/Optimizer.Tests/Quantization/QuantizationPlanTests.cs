using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Onnx;
using static Onnx.TensorProto.Types.DataType;

namespace Dunlin.Optimizer.Tests.Quantization;

public sealed class QuantizationPlanTests
{
    private static readonly HashSet<string> None = [];

    [Fact]
    public void AMaskThatWasMadeFloatKeepsNothingBehindItFromBeingQuantized()
    {
        var net = new NetBuilder(seed: 6, side: 8);
        var x = net.Conv(NetBuilder.Image, 6);
        var mask = net.Binary("Greater", x, net.Constant(Tensors.Of("zeros", new float[384], net.ShapeOf(x))));
        x = net.Binary("Mul", net.Cast(mask, Float), x);

        Assert.Equal(3, LayersOnBytes(net.Build(net.Linear(net.Mean(net.Relu(net.Conv(x, 8))), 4))));
    }

    [Fact]
    public void WhatIsComputedInHalfPrecisionStaysSoBetweenLayersOnBytes()
    {
        var net = new NetBuilder(seed: 6, side: 8);
        var x = net.Slice(net.Cast(net.Conv(NetBuilder.Image, 6), Float16), 1, 0, 4);
        x = net.Cast(x, Float);

        Assert.Equal(3, LayersOnBytes(net.Build(net.Linear(net.Mean(net.Relu(net.Conv(x, 8))), 4))));
    }

    // All convolutions and linear layers, by ONNX Runtime's own word.
    private static int LayersOnBytes(ModelProto model)
    {
        var quantization = PostTraining.Calibrate(ModelGraph.Of(model), Pictures.Make(model, 16, seed: 5), new QuantizationOptions(), TestContext.Current.CancellationToken);
        var result = quantization.Quantize(None, TestContext.Current.CancellationToken).Model;
        var evidence = FusionEvidence.Of(quantization.Plan, result);
        Assert.Empty(evidence.Unfused);
        GraphRun.AssertSame(model, result, 0.1);
        return evidence.Kernels.GetValueOrDefault("QLinearConv") + evidence.Kernels.GetValueOrDefault("QGemm");
    }
}
