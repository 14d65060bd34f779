using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.Optimizer.Tests.Quantization;
using Onnx;

namespace Dunlin.Optimizer.Tests.Graph;

public sealed class ModelEndsTests
{
    [Theory]
    [InlineData("Softmax", Activation.None)]
    [InlineData("Sigmoid", Activation.None)]
    [InlineData("LogSoftmax", Activation.Softmax)]
    [InlineData("Relu", Activation.Softmax)]
    public void ADeviceAppliesASoftmaxOnlyToWhatIsNoProbabilityYet(string end, Activation expected)
    {
        var net = new NetBuilder(seed: 2);
        var model = net.Build(net.Reshape(net.Unary(end, net.Linear(net.Mean(net.Conv(NetBuilder.Image, 8)), 4)), 1, 4));
        Assert.Equal(expected, ModelEnds.OutputOf(model).Activation);

        var images = Pictures.Make(model, 16, seed: 3);
        var quantization = PostTraining.Calibrate(ModelGraph.Of(model), images, new QuantizationOptions(), TestContext.Current.CancellationToken);
        Assert.Equal(expected, ModelEnds.OutputOf(quantization.Quantize(new HashSet<string>(), TestContext.Current.CancellationToken).Model).Activation);
    }

    [Fact]
    public void ProbabilitiesOfAModelThatComputesInFloat16AreSeenThroughTheCastToFloat()
    {
        var net = new NetBuilder(seed: 2);
        var scores = net.Unary("Cast", net.Linear(net.Mean(NetBuilder.Image), 4), Nodes.Int("to", (long)TensorProto.Types.DataType.Float16));
        var model = net.Build(net.Unary("Cast", net.Unary("Softmax", scores), Nodes.Int("to", (long)TensorProto.Types.DataType.Float)));
        Assert.Equal(Activation.None, ModelEnds.OutputOf(model).Activation);
    }

    [Fact]
    public void AnswersOfASigmoidAreComparedAsShares()
    {
        var net = new NetBuilder(seed: 2);
        var model = net.Build(net.Unary("Sigmoid", net.Linear(net.Mean(net.Conv(NetBuilder.Image, 8)), 4)));
        var input = ModelGraph.Of(model).Input;
        Scores Of(int seed) => Scores.Of(model, input, Pictures.Make(model, 32, seed), TestContext.Current.CancellationToken);
        Assert.Equal(0, Of(1).Divergence(Of(1)), 1e-12);
        Assert.True(Of(1).Divergence(Of(2)) > 0);
    }
}
