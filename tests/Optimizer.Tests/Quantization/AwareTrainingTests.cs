using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Data;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.Optimizer.Tests.Training;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Tests.Quantization;

public sealed class AwareTrainingTests : IDisposable
{
    /// <summary>Weights of two steps to either side and ranges that cut off much of each activation, so that a small network visibly loses.</summary>
    private static readonly QuantizationOptions Coarse = new()
    {
        Target = new QuantizationTarget("coarse", 2, SignedActivations: false), Calibration = CalibrationMethod.Percentile, Percentile = 85,
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-aware").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void TrainingOnTheGridsWinsBackWhatQuantizationLost()
    {
        Torch.Require();
        using var images = Stripes.Pixels(600);
        using var test = Stripes.Pixels(300, seed: 99);
        var path = TrainedModel(images);
        var quantization = PostTraining.Calibrate(ModelGraph.Load(path), images.Select([.. Enumerable.Range(0, 64)]).Tensors(), Coarse, Stop);
        var input = quantization.Plan.Graph.Input;
        var reference = Scores.Of(quantization.Plan.Graph.Model, input, test.Tensors(), Stop);
        Scores Quantized() => Scores.Of(quantization.Quantize(new HashSet<string>(), Stop).Model, input, test.Tensors(), Stop);
        var before = Quantized();

        var options = AwareTraining.Options(epochCount: 3, seed: 1);
        using var teacher = new OnnxTeacher(path, new InputOptions(null, [120], [100], FitMode.Stretch, null), Stripes.ClassNames.Count);
        using var logits = new TeacherLogits(teacher, images, options, threadCount: 1, folder: null);
        quantization = quantization.AfterTraining(new Trainer(images, options) { Teacher = logits, Grids = quantization.Grids(), ThreadCount = 1 }.Run(quantization.Plan.Graph, Stop));
        var after = Quantized();

        TestContext.Current.TestOutputHelper!.WriteLine($"divergence {reference.Divergence(before):g3} → {reference.Divergence(after):g3}, agreement {reference.Agreement(before):p1} → {reference.Agreement(after):p1}");
        Assert.InRange(reference.Agreement(before), 0, 0.97);
        Assert.InRange(reference.Agreement(after), 0.99, 1);
        Assert.InRange(reference.Divergence(after), 0, reference.Divergence(before) / 2);
    }

    [Fact]
    public void StatisticsAreThoseOfWhatTheGridsLetThrough()
    {
        Torch.Require();
        using var images = Stripes.Pixels(64);
        Assert.NotEqual(Means(onGrids: false), Means(onGrids: true));

        float[] Means(bool onGrids)
        {
            var net = new NetBuilder(seed: 3, channels: 1, side: Stripes.Side);
            // Behind pooling a norm is neither folded nor made a convolution.
            var x = net.Norm(net.Flatten(net.GlobalPool(net.Relu(net.Conv(NetBuilder.Image, 8)))));
            var quantization = PostTraining.Calibrate(ModelGraph.Of(net.Build(net.Linear(x, Stripes.ClassNames.Count))), images.Tensors(), Coarse, Stop);
            var graph = quantization.Plan.Graph;
            new Trainer(images, AwareTraining.Options(epochCount: 1, seed: 1) with { LearningRate = 0 }) { Grids = onGrids ? quantization.Grids() : null, ThreadCount = 1 }.Run(graph, Stop);
            return Tensors.Floats(graph.Constant(graph.Nodes.Single(n => n.OpType == "BatchNormalization").Input[3])!);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string TrainedModel(PixelSet images)
    {
        var net = new NetBuilder(seed: 3, channels: 1, side: Stripes.Side);
        var x = net.ConvNormRelu(NetBuilder.Image, 8, 3, 2);
        x = net.ConvNormRelu(net.ConvNormRelu(x, 8, 3, 1, 8), 16, 1);
        x = net.ConvNormRelu(net.ConvNormRelu(x, 16, 3, 2, 16), 16, 1);
        var graph = ModelGraph.Of(net.Build(net.Linear(net.Flatten(net.GlobalPool(x)), Stripes.ClassNames.Count)));
        new Trainer(images, new TrainingOptions { EpochCount = 3, BatchSize = 32 }) { ThreadCount = 1 }.Run(graph, Stop);
        var path = Path.Combine(_folder, "net.onnx");
        ModelFile.Save(graph.Model, path);
        return path;
    }
}
