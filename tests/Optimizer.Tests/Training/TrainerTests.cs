using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Data;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    private static readonly ResidualSpec Spec = new([8, 16], BlockCount: 1, StemStride: 2, ClassCount: 3);
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-train").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void AFewHundredImagesTeachANetworkInSeconds()
    {
        Torch.Require();
        var epochs = new List<EpochResult>();
        var weights = Run(3, epochs, checkpoint: null);

        Assert.True(epochs[^1].Loss < epochs[0].Loss * 0.8, $"the loss went from {epochs[0].Loss} to {epochs[^1].Loss}");
        Assert.InRange(ShareRight(weights), 0.9, 1);
    }

    [Fact]
    public void AnInterruptedRunGoesOnAfterItsLastEpoch()
    {
        Torch.Require();
        var path = Path.Combine(_folder, "run.checkpoint");
        using var interruption = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Assert.Throws<OperationCanceledException>(() => Trainer(3, path, e => { if (e.Epoch == 2) interruption.Cancel(); }).Run(interruption.Token));

        var epochs = new List<EpochResult>();
        Run(3, epochs, path);

        Assert.Equal([3], epochs.Select(e => e.Epoch));
    }

    [Fact]
    public void ACheckpointOfAnotherRecipeOrADamagedOneIsLeftAlone()
    {
        var path = Path.Combine(_folder, "a.checkpoint");
        new Checkpoint("this recipe", 4, RandomWeights.For(Spec), RandomWeights.For(Spec)).Save(path);
        Assert.Equal(4, Checkpoint.TryLoad(path, "this recipe")!.EpochCount);
        Assert.Null(Checkpoint.TryLoad(path, "another recipe"));
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^9]);
        Assert.Null(Checkpoint.TryLoad(path, "this recipe"));
        Assert.Null(Checkpoint.TryLoad(Path.Combine(_folder, "none"), "this recipe"));
    }

    [Fact]
    public void AStudentLearnsFromAnOnnxTeacher()
    {
        Torch.Require();
        var path = Path.Combine(_folder, "teacher.onnx");
        ModelFile.Save(ResidualGraph.Build(Spec, Run(3, [], checkpoint: null), Stripes.Side), path);
        using var teacher = new OnnxTeacher(path, Stripes.Side, Stripes.Side, 3);
        var student = new Trainer(Stripes.Make(300), Options(3), 120, 0.01f) { Teacher = teacher, ThreadCount = 1 };

        Assert.InRange(ShareRight(student.Run(Stop)), 0.9, 1);
    }

    [Fact]
    public void ATeacherOfOtherClassesIsRefused()
    {
        var path = Path.Combine(_folder, "teacher.onnx");
        ModelFile.Save(ResidualGraph.Build(Spec, RandomWeights.For(Spec), Stripes.Side), path);
        Assert.Contains("1×10", Assert.Throws<InvalidDataException>(() => new OnnxTeacher(path, 28, 28, classCount: 10)).Message);
    }

    [Fact]
    public void TheLearningRateRisesToItsPeakAndEndsAtZero()
    {
        Assert.Equal(0.1, OneCycle.Rate(0.1, 0.2), 1e-9);
        Assert.Equal(0, OneCycle.Rate(0.1, 1), 1e-9);
        Assert.All(Enumerable.Range(0, 100), i => Assert.InRange(OneCycle.Rate(0.1, i / 100.0), 0, 0.1));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static TrainingOptions Options(int epochs) => new() { Spec = Spec, EpochCount = epochs, BatchSize = 32 };

    private static Trainer Trainer(int epochs, string? checkpoint, Action<EpochResult> done) =>
        new(Stripes.Make(300), Options(epochs), mean: 120, scale: 0.01f) { CheckpointPath = checkpoint, EpochDone = done, ThreadCount = 1 };

    private static Weights Run(int epochs, List<EpochResult> results, string? checkpoint) => Trainer(epochs, checkpoint, results.Add).Run(Stop);

    private static double ShareRight(Weights weights)
    {
        var images = Stripes.Make(150, seed: 1234);
        using var run = new GraphRun(ResidualGraph.Build(Spec, weights, Stripes.Side));
        var right = 0;
        for (var i = 0; i < images.Count; i++)
        {
            var scores = run.Scores([.. images.Image(i).ToArray().Select(p => (p - 120) * 0.01f)]);
            if (Array.IndexOf(scores, scores.Max()) == images.Labels[i]) right++;
        }

        return (double)right / images.Count;
    }
}
