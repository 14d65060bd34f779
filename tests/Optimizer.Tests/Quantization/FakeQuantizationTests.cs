using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.Optimizer.Tests.Training;
using Dunlin.Optimizer.Training.Execution;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Tests.Quantization;

public sealed class FakeQuantizationTests
{
    private const int ImageCount = 100;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Zoo.All), MemberType = typeof(Zoo))]
    public void TorchAnswersAsOnnxRuntimeDoesOnTheModelThatIsWritten(string name)
    {
        Torch.Require();
        var model = Zoo.Build(name);
        var options = new QuantizationOptions { CorrectBias = false };
        var quantization = PostTraining.Calibrate(ModelGraph.Of(model), Pictures.Make(model, 16, seed: 5), options, Stop);
        var graph = quantization.Plan.Graph;
        using var network = new GraphNetwork(graph, around: quantization.Grids().Around);
        using var plain = new GraphNetwork(graph);
        network.eval();
        plain.eval();
        set_num_threads(1);
        using var run = new ModelRun(quantization.Quantize(new HashSet<string>(), Stop).Model, graph.Input);
        var images = Pictures.Make(model, ImageCount, seed: 6);
        using var _ = no_grad();
        using var pixels = tensor([.. images.SelectMany(i => i)], [ImageCount, .. graph.Input.Shape.Skip(1)]);
        var (ours, theirs, floats) = (Rows(network.forward(pixels)), images.Select(run.Scores).ToList(), Rows(plain.forward(pixels)));
        var (apart, changed) = (Distance(ours, theirs), Distance(floats, theirs));
        var same = ours.Zip(theirs).Count(p => Array.IndexOf(p.First, p.First.Max()) == Array.IndexOf(p.Second, p.Second.Max()));
        Assert.InRange(same, 0.99 * ImageCount, ImageCount);
        Assert.InRange(apart, 0, changed / 4);
    }

    [Fact]
    public void AChannelWithoutWeightsKeepsItsBiasInTorchAndInTheModelThatIsWritten()
    {
        const float Bias = 0.3f;
        Torch.Require();
        var net = new NetBuilder(seed: 3, side: 4);
        var weights = Tensors.Of("w", [0, 0, 0, 0.002f, 0, 0, 0, 0.001f, 0], 3, 3, 1, 1);
        var x = net.Add("Conv", [NetBuilder.Image, net.Constant(weights), net.Constant(Tensors.Of("b", [Bias, 0.2f, 0.1f], 3))], [1, 3, 4, 4]);
        // Pixels as they are: one step of the input is 1.
        var images = Enumerable.Range(0, 16).Select(i => Enumerable.Range(0, 48).Select(p => (float)((i * 48 + p) * 37 % 256)).ToArray()).ToList();
        var options = new QuantizationOptions { CorrectBias = false, Calibration = CalibrationMethod.MinMax };
        var quantization = PostTraining.Calibrate(ModelGraph.Of(net.Build(net.Mean(x))), images, options, Stop);
        var graph = quantization.Plan.Graph;
        using var network = new GraphNetwork(graph, around: quantization.Grids().Around);
        network.eval();
        using var run = new ModelRun(quantization.Quantize(new HashSet<string>(), Stop).Model, graph.Input);
        using var _ = no_grad();
        using var scores = network.forward(tensor(images[0], [.. graph.Input.Shape]));

        Assert.InRange(run.Scores(images[0])[0], Bias - 0.01f, Bias + 0.01f);
        Assert.InRange(scores.data<float>()[0], Bias - 0.01f, Bias + 0.01f);
    }

    private static List<float[]> Rows(Tensor scores) => [.. scores.data<float>().ToArray().Chunk(Zoo.Classes)];

    private static double Distance(List<float[]> a, List<float[]> b) => Math.Sqrt(a.Zip(b).Sum(p => p.First.Zip(p.Second, (x, y) => (double)(x - y) * (x - y)).Sum()));
}
