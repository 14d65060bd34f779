using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Tests.Data;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.Optimizer.Training;
using Onnx;

namespace Dunlin.Optimizer.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    private const float Mean = 120, Scale = 0.01f;
    private static readonly ResidualSpec Spec = new([8, 16], [1, 1], StemStride: 2, ClassCount: 3);
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-train").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void AFewHundredImagesTeachANetworkInSeconds()
    {
        Torch.Require();
        var epochs = new List<EpochResult>();
        var graph = Fresh();
        Trainer(3, checkpoint: null, epochs.Add).Run(graph, Stop);

        Assert.True(epochs[^1].Loss < epochs[0].Loss * 0.8, $"the loss went from {epochs[0].Loss} to {epochs[^1].Loss}");
        Assert.InRange(ShareRight(graph), 0.9, 1);
        BatchNormFolding.Apply(graph);
        Assert.InRange(ShareRight(graph), 0.9, 1);
    }

    [Fact]
    public void AnInterruptedRunGoesOnAfterItsLastEpoch()
    {
        Torch.Require();
        var path = Path.Combine(_folder, "run.checkpoint");
        using var interruption = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Assert.Throws<OperationCanceledException>(() => Trainer(3, path, e => { if (e.Epoch == 2) interruption.Cancel(); }).Run(Fresh(), interruption.Token));

        var epochs = new List<EpochResult>();
        Trainer(3, path, epochs.Add).Run(Fresh(), Stop);

        Assert.Equal([3], epochs.Select(e => e.Epoch));
    }

    [Fact]
    public void ACheckpointOfAnotherRecipeOrADamagedOneIsLeftAlone()
    {
        var path = Path.Combine(_folder, "a.checkpoint");
        var weights = new Weights { ["stem.weight"] = ([2, 3], [1, 2, 3, 4, 5, 6]) };
        new Checkpoint("this recipe", 4, weights, weights).Save(path);
        Assert.Equal(4, Checkpoint.TryLoad(path, "this recipe")!.EpochCount);
        Assert.Null(Checkpoint.TryLoad(path, "another recipe"));
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^9]);
        Assert.Null(Checkpoint.TryLoad(path, "this recipe"));
        Assert.Null(Checkpoint.TryLoad(Path.Combine(_folder, "none"), "this recipe"));
    }

    [Fact]
    public void WhatPruningCostComesBackFromTheModelThatWasPruned()
    {
        Torch.Require();
        var graph = Fresh();
        Trainer(3, checkpoint: null, _ => { }).Run(graph, Stop);
        var path = Path.Combine(_folder, "teacher.onnx");
        ModelFile.Save(graph.Model, path);
        Pruner.Prune(graph, MagnitudeImportance.L2, new PruningOptions(0.5, PruningScope.Layer, Step: 1));
        using var teacher = new OnnxTeacher(path, Stripes.Side, Stripes.Side, 3);
        new Trainer(Stripes.Make(300), Options(3), Mean, Scale) { Teacher = teacher, ThreadCount = 1 }.Run(graph, Stop);

        Assert.InRange(ShareRight(graph), 0.9, 1);
    }

    [Fact]
    public void ALoudChannelThatNobodyListensToMattersLeastToTheLoss()
    {
        Torch.Require();
        var graph = Fresh();
        Trainer(2, checkpoint: null, _ => { }).Run(graph, Stop);
        // What stage 1 makes inside of its block: four channels loud, and unheard.
        int[] unheard = [0, 2, 5, 7];
        Change(graph, "stage1.block1.conv1.norm.weight", (value, place) => unheard.Contains(place) ? value * 50 : value);
        Change(graph, "stage1.block1.conv2.weight", (value, place) => unheard.Contains(place / 9 % 8) ? 0 : value);
        var dependencies = ChannelDependencies.Of(graph);
        var group = PruneGroup.Of(dependencies).Single(g => g.Name == "stage1.block1.conv1");

        var scores = TaylorImportance.Measure(dependencies, Stripes.Make(96), Mean, Scale, Stop)(group);

        Assert.Equal(unheard, scores.Index().Where(s => s.Item == 0).Select(s => s.Index));
        // The size of weights does not tell.
        var bySize = MagnitudeImportance.L2(dependencies)(group).Index().OrderBy(s => s.Item).Take(unheard.Length).Select(s => s.Index).Order();
        Assert.NotEqual(unheard, bySize);
    }

    [Fact]
    public void ANetworkWithoutNormalizationIsTrainedInBFloat16Too()
    {
        Torch.Require();
        var graph = ModelGraph.Of(FoldedResidual.Make(Spec, Stripes.Side));
        new Trainer(Stripes.Make(300), Options(4) with { LearningRate = 0.02, UseBFloat16 = true }, Mean, Scale) { ThreadCount = 1 }.Run(graph, Stop);
        Assert.InRange(ShareRight(graph), 0.8, 1);
    }

    [Fact]
    public void AModelOfOtherImagesOrClassesIsRefused()
    {
        var images = Stripes.Make(30);
        string Refusal(ModelProto model) =>
            Assert.Throws<InvalidDataException>(() => new Trainer(images, Options(1), Mean, Scale).Run(ModelGraph.Of(model), Stop)).Message;
        Assert.Contains("1×3×32×32 where the images are 1×1×28×28", Refusal(Zoo.Build("vgg")));
        Assert.Contains("1×10 scores where the data has 3 classes", Refusal(Zoo.Build("lenet-old-opset")));
    }

    [Fact]
    public void ATeacherOfOtherClassesIsRefused()
    {
        var path = Path.Combine(_folder, "teacher.onnx");
        ModelFile.Save(FoldedResidual.Make(Spec, Stripes.Side), path);
        Assert.Contains("1×10", Assert.Throws<InvalidDataException>(() => new OnnxTeacher(path, 28, 28, classCount: 10)).Message);
    }

    [Fact]
    public void ATeacherThatEndsInASoftmaxTeachesTheSame()
    {
        var model = FoldedResidual.Make(Spec, Stripes.Side);
        var path = Path.Combine(_folder, "teacher.onnx");
        ModelFile.Save(model, path);
        float[] image = [.. Enumerable.Range(0, 784).Select(i => MathF.Sin(i))];
        using var plain = new OnnxTeacher(path, 28, 28, 3);
        var expected = plain.Logits(image);
        model.Graph.Node.Add(Nodes.Make("Softmax", [model.Graph.Output[0].Name], "probabilities"));
        model.Graph.Output[0].Name = "probabilities";
        ModelFile.Save(model, path);
        using var soft = new OnnxTeacher(path, 28, 28, 3);
        var logits = soft.Logits(image);

        for (var i = 1; i < 3; i++) Assert.Equal(expected[i] - expected[0], logits[i] - logits[0], 1e-3f);
    }

    [Fact]
    public void TheLearningRateRisesToItsPeakAndEndsAtZero()
    {
        Assert.Equal(0.1, OneCycle.Rate(0.1, 0.2), 1e-9);
        Assert.Equal(0, OneCycle.Rate(0.1, 1), 1e-9);
        Assert.All(Enumerable.Range(0, 100), i => Assert.InRange(OneCycle.Rate(0.1, i / 100.0), 0, 0.1));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static TrainingOptions Options(int epochs) => new() { EpochCount = epochs, BatchSize = 32 };

    private static ModelGraph Fresh() => ModelGraph.Of(ResidualGraph.Build(Spec, Stripes.Side, seed: 1));

    private static Trainer Trainer(int epochs, string? checkpoint, Action<EpochResult> done) =>
        new(Stripes.Make(300), Options(epochs), Mean, Scale) { CheckpointPath = checkpoint, EpochDone = done, ThreadCount = 1 };

    private static void Change(ModelGraph graph, string name, Func<float, int, float> change)
    {
        var tensor = graph.Constant(name)!;
        graph.SetConstant(Tensors.Of(name, [.. Tensors.Floats(tensor).Select(change)], [.. tensor.Dims]));
    }

    private static double ShareRight(ModelGraph graph)
    {
        var images = Stripes.Make(150, seed: 1234);
        using var run = new GraphRun(graph.Model);
        var right = 0;
        for (var i = 0; i < images.Count; i++)
        {
            var scores = run.Scores([.. images.Image(i).ToArray().Select(p => (p - Mean) * Scale)]);
            if (Array.IndexOf(scores, scores.Max()) == images.Labels[i]) right++;
        }

        return (double)right / images.Count;
    }
}
