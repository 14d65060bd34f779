using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Tests.Data;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Training;
using Dunlin.Optimizer.Training.Execution;
using Google.Protobuf;

namespace Dunlin.Optimizer.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    private static readonly ResidualSpec Spec = new([8, 16], [1, 1], StemStride: 2, ClassCount: 3);
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-train").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void AFewHundredImagesTeachANetworkInSeconds()
    {
        Torch.Require();
        var epochs = new List<EpochResult>();
        var graph = Fresh();
        Train(graph, 3, checkpoint: null, epochs.Add, Stop);

        Assert.True(epochs[^1].Loss < epochs[0].Loss * 0.8, $"the loss went from {epochs[0].Loss} to {epochs[^1].Loss}");
        Assert.InRange(Stripes.ShareRight(graph), 0.9, 1);
        BatchNormFolding.Apply(graph);
        Assert.InRange(Stripes.ShareRight(graph), 0.9, 1);
    }

    [Fact]
    public void AnInterruptedRunGoesOnAfterItsLastStepToTheSameWeights()
    {
        Torch.Require();
        var (whole, resumed) = (Fresh(), Fresh());
        Assert.Equal(StepsOf(3), Train(whole, 3, checkpoint: null, _ => { }, Stop));
        var path = Path.Combine(_folder, "run.checkpoint");
        using var interruption = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var done = 0;
        Assert.Throws<OperationCanceledException>(() => Train(Fresh(), 3, path, _ => { }, interruption.Token, () => { if (++done == 14) interruption.Cancel(); }));

        var epochs = new List<EpochResult>();
        var left = 0;
        Train(resumed, 3, path, epochs.Add, Stop, () => left++);

        Assert.Equal(StepsOf(3) - 14, left);
        Assert.Equal([2, 3], epochs.Select(e => e.Epoch));
        Assert.Equal(Digest.Of(whole.Model.ToByteArray()), Digest.Of(resumed.Model.ToByteArray()));
    }

    [Fact]
    public void ProgressOfAnotherRunIsKeptAsideAndThatRunGoesOnFromIt()
    {
        Torch.Require();
        var path = Path.Combine(_folder, "run.checkpoint");
        using var interruption = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var done = 0;
        Assert.Throws<OperationCanceledException>(() => Train(Fresh(), 3, path, _ => { }, interruption.Token, () => { if (++done == 5) interruption.Cancel(); }));
        var said = new List<string>();
        Train(Fresh(), 1, path, _ => { }, Stop, keptAside: said.Add);

        var line = Assert.Single(said);
        Assert.Contains("(EpochCount = 3; now EpochCount = 1)", line);
        var aside = Assert.Single(Directory.GetFiles(_folder, "run.*.checkpoint"));
        Assert.Contains($"kept as '{aside}'", line);
        File.Move(aside, path, overwrite: true);
        var left = 0;
        Train(Fresh(), 3, path, _ => { }, Stop, () => left++, said.Add);
        Assert.Equal(StepsOf(3) - 5, left);
        Assert.Single(said);
    }

    [Fact]
    public void EveryImageIsCheckedAlsoThoseOfALastSmallerBatch()
    {
        Torch.Require();
        using var images = Stripes.Pixels(45);
        var graph = Fresh();
        using var network = new GraphNetwork(graph);
        Assert.Equal(Answers.On(images, network, graph.Input, 45, Stop).Loss, Answers.On(images, network, graph.Input, 32, Stop).Loss, 1e-4);
    }

    [Fact]
    public void WithPatienceTrainingStopsAndTakesTheWeightsOfTheBestEpoch()
    {
        Torch.Require();
        // Labels that are wrong: the better the stripes are learnt, the worse these are answered.
        var wrong = ClassMap.Of(new DataListing([], ["vertical", "diagonal", "horizontal"]), labels: null, 3);
        using var check = PixelSet.Read(Stripes.Samples(60, seed: 5), wrong, Stripes.Input, unreadableShare: 0, Stop);
        using var images = Stripes.Pixels(300);
        var (path, epochs, graph) = (Path.Combine(_folder, "run.checkpoint"), new List<EpochResult>(), Fresh());
        new Trainer(images, Options(20) with { Patience = 2 }) { Check = check, CheckpointPath = path, EpochDone = epochs.Add, ThreadCount = 1 }.Run(graph, Stop);

        var best = epochs.MinBy(e => e.Check!.Loss)!.Epoch;
        Assert.InRange(best, 1, 17);
        Assert.Equal(best + 2, epochs.Count);
        using var network = new GraphNetwork(graph);
        Assert.NotEqual(epochs[^1].Check!.Loss, Answers.On(check, network, graph.Input, 32, Stop).Loss, 0.1);
        using var reader = new BinaryReader(File.OpenRead(path));
        reader.ReadString();
        var kept = Checkpoint.TryLoad(path, reader.ReadString())!.Best!;
        Assert.Equal(best, kept.Epoch);
        Assert.Equal(kept.Weights["stem.weight"].Values, Tensors.Floats(graph.Constant("stem.weight")!));
    }

    [Fact]
    public void ACheckpointOfAnotherRecipeOrADamagedOneIsLeftAlone()
    {
        var path = Path.Combine(_folder, "a.checkpoint");
        var weights = new Weights { ["stem.weight"] = ([2, 3], [1, 2, 3, 4, 5, 6]) };
        new Checkpoint("this recipe", 4, weights, weights, new BestEpoch(3, 0.5, weights)).Save(path);
        var read = Checkpoint.TryLoad(path, "this recipe")!;
        Assert.Equal((4, 3, 0.5), (read.StepCount, read.Best!.Epoch, read.Best.Loss));
        Assert.Equal(weights["stem.weight"].Values, read.Best.Weights["stem.weight"].Values);
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
        Train(graph, 3, checkpoint: null, _ => { }, Stop);
        var path = Path.Combine(_folder, "teacher.onnx");
        ModelFile.Save(graph.Model, path);
        Pruner.Prune(graph, MagnitudeImportance.L2, new PruningOptions(0.5, PruningScope.Layer, Step: 1));
        using var images = Stripes.Pixels(300);
        using var teacher = Teacher(path);
        using var logits = new TeacherLogits(teacher, images, Options(3), threadCount: 2, folder: null);
        new Trainer(images, Options(3)) { Teacher = logits, ThreadCount = 1 }.Run(graph, Stop);

        Assert.InRange(Stripes.ShareRight(graph), 0.9, 1);
    }

    [Fact]
    public void ALoudChannelThatNobodyListensToMattersLeastToTheLoss()
    {
        Torch.Require();
        var graph = Fresh();
        Train(graph, 2, checkpoint: null, _ => { }, Stop);
        // What stage 1 makes inside of its block: four channels loud, and unheard.
        int[] unheard = [0, 2, 5, 7];
        Change(graph, "stage1.block1.conv1.norm.weight", (value, place) => unheard.Contains(place) ? value * 50 : value);
        Change(graph, "stage1.block1.conv2.weight", (value, place) => unheard.Contains(place / 9 % 8) ? 0 : value);
        using var images = Stripes.Pixels(96);
        var dependencies = ChannelDependencies.Of(graph);
        var group = PruneGroup.Of(dependencies).Single(g => g.Name == "stage1.block1.conv1");

        var scores = TaylorImportance.Measure(dependencies, images, Stop)(group);

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
        using var images = Stripes.Pixels(300);
        new Trainer(images, Options(4) with { LearningRate = 0.02, UseBFloat16 = true }) { ThreadCount = 1 }.Run(graph, Stop);
        Assert.InRange(Stripes.ShareRight(graph), 0.8, 1);
    }

    [Fact]
    public void ATeacherOfOtherClassesIsRefused()
    {
        var path = Path.Combine(_folder, "teacher.onnx");
        ModelFile.Save(FoldedResidual.Make(Spec, Stripes.Side), path);
        Assert.Contains("1×3 scores where the student has 10 classes", Assert.Throws<InvalidDataException>(() => Teacher(path, classCount: 10)).Message);
    }

    [Fact]
    public void ATeacherThatEndsInASoftmaxTeachesTheSame()
    {
        var model = FoldedResidual.Make(Spec, Stripes.Side);
        var path = Path.Combine(_folder, "teacher.onnx");
        ModelFile.Save(model, path);
        float[] image = [.. Enumerable.Range(0, 784).Select(i => MathF.Sin(i))];
        var expected = new float[3];
        using (var plain = Teacher(path)) plain.Answer(image, expected);
        model.Graph.Node.Add(Nodes.Make("Softmax", [model.Graph.Output[0].Name], "probabilities"));
        model.Graph.Output[0].Name = "probabilities";
        ModelFile.Save(model, path);
        var logits = new float[3];
        using (var soft = Teacher(path)) soft.Answer(image, logits);

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

    private static ModelGraph Fresh() => ModelGraph.Of(ResidualGraph.Build(Spec, [1, 1, Stripes.Side, Stripes.Side], seed: 1));

    private static int StepsOf(int epochs) => epochs * (300 / 32);

    private static int Train(ModelGraph graph, int epochs, string? checkpoint, Action<EpochResult> done, CancellationToken stop, Action? stepped = null, Action<string>? keptAside = null)
    {
        using var images = Stripes.Pixels(300);
        return new Trainer(images, Options(epochs)) { CheckpointPath = checkpoint, KeptAside = keptAside, EpochDone = done, Advanced = _ => stepped?.Invoke(), ThreadCount = 1 }.Run(graph, stop);
    }

    private static OnnxTeacher Teacher(string path, int classCount = 3) =>
        new(path, new InputOptions(Channels: null, Stripes.Input.Mean, [100], FitMode.Stretch, CropFraction: null), classCount);

    private static void Change(ModelGraph graph, string name, Func<float, int, float> change)
    {
        var tensor = graph.Constant(name)!;
        graph.SetConstant(Tensors.Of(name, [.. Tensors.Floats(tensor).Select(change)], [.. tensor.Dims]));
    }
}
