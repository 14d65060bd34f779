using System.Text.Json.Serialization.Metadata;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Search;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.Optimizer.Tests.Training;
using Dunlin.Optimizer.Training;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Optimizer.Tests.Search;

/// <summary>Studies that go on from their records: nothing is trained here.</summary>
public sealed class RecoveryTests : IDisposable
{
    private const int Steps = 16;
    private static readonly string[] Four = ["pruned-50", "narrow-50", "pruned-75", "narrow-75"];
    private static readonly TrainingPlan AnyPlan = new(StepSeconds: 1, BatchSize: 32, ImageCount: 64, ImportanceCount: 64, EpochSteps: 2, Halving: null);
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-recovery").FullName;
    private readonly StringWriter _said = new();
    private readonly SearchSetup _setup;
    private readonly Study _study;

    public RecoveryTests()
    {
        var (data, model, result) = (Path.Combine(_folder, "data"), Path.Combine(_folder, "net.onnx"), Path.Combine(_folder, "out"));
        SearchLab.Write(data, 240);
        ModelFile.Save(ResidualGraph.Build(new ResidualSpec([8], [1], StemStride: 2, ClassCount: 3), [1, 1, 28, 28], seed: 1), model);
        _setup = SearchSetup.Of(SearchCommand.Create().Parse([model, "--data", data, "--out", result, "--budget", "120steps", "--step", "4"]), result);
        _study = Study.Open(_setup.Work, _setup.Recipe, TimeProvider.System);
        ModelFile.Save(_setup.Graph.Model, _study.Model(SearchRun.ReferenceId));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void WhoHadNoTimeInARoundStaysOutOfItWhenThereIsTimeAgain()
    {
        Plan(new HalvingPlan(4, Steps, 1));
        foreach (var (id, round) in (ReadOnlySpan<(string, int)>)[("pruned-50", 0), ("narrow-50", 0), ("pruned-75", 0), ("pruned-50", 1)]) Trained(id, round, Steps);
        Record("kept-0", StudyJson.Default.Kept, new Kept(["pruned-50", "narrow-50"]));
        Record("kept-1", StudyJson.Default.Kept, new Kept(["pruned-50"]));
        Record("steps-pruned-50.2", StudyJson.Default.StepDecision, new StepDecision(0));
        // Neither narrow-75 in the first round nor narrow-50 in the second had any, and their files are gone.
        Assert.Equal("pruned-50.1", Assert.Single(Recovered()).Name);
    }

    [Fact]
    public void WhatThereWasNoTimeForIsTrainedWithALargerBudget()
    {
        Torch.Require();
        Assert.Empty(Recovered(new Budget(Time: null, Steps: 8)));
        Assert.Contains("give a larger --budget", _said.ToString());
        Assert.NotEmpty(Recovered(new Budget(Time: null, Steps: 40)));
    }

    [Fact]
    public void WhatAnInterruptedTrainingSpentIsSpent()
    {
        Torch.Require();
        _study.Dispose();
        var time = new FakeTimeProvider();
        using (var study = Study.Open(_setup.Work, _setup.Recipe, time))
            Assert.Throws<OperationCanceledException>(() => study.Once("trained", StudyJson.Default.Trained, () => Interrupted(study, SearchRun.ReferenceId, 3, () => time.Advance(TimeSpan.FromSeconds(1)))));
        using var again = Study.Open(_setup.Work, _setup.Recipe, time);
        Assert.Equal(TimeSpan.FromSeconds(3), again.Elapsed);
    }

    [Fact]
    public void WhatAnInterruptedTrainingLearntIsKeptWhereNoTimeIsLeft()
    {
        Torch.Require();
        Plan(new HalvingPlan(1, Steps, 1));
        Record("times-start", StudyJson.Default.Times, new[] { "reference", "pruned-50-start" }.ToDictionary(name => name, _ => new BuildTime(1, 1)));
        Record("steps-pruned-50.0", StudyJson.Default.StepDecision, new StepDecision(Steps));
        ModelFile.Save(_setup.Graph.Model, _study.Model("pruned-50-start"));
        Assert.Throws<OperationCanceledException>(() => Interrupted(_study, "pruned-50-start", 3, () => { }));
        Assert.Equal("pruned-50.0", Assert.Single(Recovered(new Budget(TimeSpan.FromMilliseconds(1), Steps: null))).Name);
        Assert.Equal(3, _study.Recorded("trained-pruned-50.0", StudyJson.Default.Trained)!.Steps);
    }

    [Fact]
    public void TrainingComputesInBFloat16WhereThePlanSaysSo()
    {
        Torch.Require();
        byte[] Weights(bool useBFloat16)
        {
            var plan = AnyPlan with { UseBFloat16 = useBFloat16 };
            using var workshop = new Workshop(_setup, _study);
            workshop.Begin(plan, Stop);
            var to = Path.Combine(_folder, $"{useBFloat16}.onnx");
            workshop.Train(_study.Model(SearchRun.ReferenceId), to, plan, steps: 2, round: 0, rate: 0.01, () => false, _ => { }, Stop);
            return [.. ModelFile.Load(to).Graph.Initializer.SelectMany(tensor => tensor.RawData)];
        }

        Assert.Equal(Weights(useBFloat16: false), Weights(useBFloat16: false));
        Assert.NotEqual(Weights(useBFloat16: false), Weights(useBFloat16: true));
    }

    [Fact]
    public void WhereNobodyCanBeTrainedTheReferenceIsLeft()
    {
        Plan(new HalvingPlan(4, Steps, 1));
        foreach (var id in Four) Trained(id, 0, steps: 0);
        Assert.Empty(Recovered());
        Assert.Contains("goes on with the reference alone", _said.ToString());
    }

    [Fact]
    public void WhoCannotBeTrainedInTheLastRoundIsNotTriedForEver()
    {
        Plan(new HalvingPlan(1, Steps, 1));
        Trained("pruned-50", 0, steps: 0);
        Assert.Empty(Recovered());
    }

    [Fact]
    public void ACandidateWhoseScoresAreNoNumbersIsLeftOutAndTheSearchGoesOn()
    {
        Plan(new HalvingPlan(4, Steps, 1));
        foreach (var id in Four) Trained(id, 0, Steps, isMeasured: id == "pruned-50");
        foreach (var id in Four) SaveWithoutNumbers(_study.Model($"{id}.0"));
        Record("steps-pruned-50.1", StudyJson.Default.StepDecision, new StepDecision(Steps));
        Record("trained-pruned-50.1", StudyJson.Default.Trained, new Trained(0, 1, 1, 0.01));
        Record("steps-pruned-50.2", StudyJson.Default.StepDecision, new StepDecision(0));
        for (var run = 0; run < 2; run++) Assert.Equal("pruned-50.0", Assert.Single(Recovered()).Name);
        Assert.Contains("narrow-50 is left out: The model's score of class 0 is NaN", _said.ToString());
        Assert.False(File.Exists(_study.Model("narrow-50.0")));
    }

    [Fact]
    public void AVariantWhoseScoresAreNoNumbersOnAHeldOutImageIsLeftOut()
    {
        var wrong = Path.Combine(_folder, "wrong.onnx");
        SaveWithoutNumbers(wrong);
        var judged = JudgedVariant.Of(_setup, [(FinalistTests.Of("reference", 1, 1), _study.Model("reference")), (FinalistTests.Of("wrong", 1, 1), wrong)], Telling(), Stop);
        Assert.Equal("reference", Assert.Single(judged).Finalist.Build.Id);
        Assert.Contains("wrong is left out", _said.ToString());
        Assert.False(File.Exists(wrong));
    }

    [Fact]
    public void TheSpeedOfAStepIsFoundOutAtARateThatAnyNetworkBears()
    {
        Torch.Require();
        var graph = ModelGraph.Load(_study.Model(SearchRun.ReferenceId));
        BatchNormFolding.Apply(graph);
        // One step of any rate at all along a gradient of 1e25 destroys it.
        graph.Scale("stage1.block1.conv1", 1e-25f);
        graph.Scale("stage1.block1.conv2", 1e25f, withBias: false);
        ModelFile.Save(graph.Model, _study.Model(SearchRun.ReferenceId));
        using var images = _setup.Data.Read(SplitPart.Train, 48, 1, Stop);
        var usual = new TrainingOptions { BatchSize = 16, StepCount = 3, LearningRate = DistilCommand.UsualRate };
        Assert.Throws<DivergedException>(() => new Trainer(images, usual).Run(ModelGraph.Load(_study.Model(SearchRun.ReferenceId)), Stop));
        using var workshop = new Workshop(_setup, _study);
        Assert.InRange(workshop.ProbeStep(64, 16, useBFloat16: false, Stop), 1e-4, 60);
    }

    [Theory]
    [InlineData("200steps", "8")]
    [InlineData("30m", "32")]
    public void AStudyKeepsToOneStepOfWidthsAndOneInStepsMeasuresNone(string budget, string step)
    {
        Torch.Require();
        var result = Path.Combine(_folder, budget);
        var setup = SearchSetup.Of(SearchCommand.Create().Parse([Path.Combine(_folder, "net.onnx"), "--data", Path.Combine(_folder, "data"), "--out", result, "--budget", budget]), result);
        using var study = Study.Open(setup.Work, setup.Recipe, TimeProvider.System);
        ModelFile.Save(setup.Graph.Model, study.Model(SearchRun.ReferenceId));
        // As another machine, or a noisier hour, had measured it.
        study.Once("step", StudyJson.Default.KernelStep, () => new KernelStep(32));
        using var workshop = new Workshop(setup, study);
        workshop.Begin(AnyPlan, Stop);
        workshop.Narrow(new Candidate(0.5, PruningScope.Layer), AnyPlan, workshop.WidthStep(Stop), Path.Combine(_folder, "narrow.onnx"), Stop);
        Assert.Equal(step, Provenance.Of(ModelFile.Load(Path.Combine(_folder, "narrow.onnx"))).Single(t => t.Kind == "pruned").Parameters["step"]);
    }

    [Fact]
    public void WhatKeepsChannelsFromBeingPrunedIsKnown()
    {
        Torch.Require();
        var net = new NetBuilder(seed: 6);
        var ties = net.Unary("Softmax", net.Conv(net.Conv(NetBuilder.Image, 16), 8), Nodes.Int("axis", 1));
        ModelFile.Save(net.Build(net.Linear(net.Mean(ties), 3)), _study.Model(SearchRun.ReferenceId));
        using var workshop = new Workshop(_setup, _study);
        Assert.Null(workshop.WhyNot());
        Assert.Equal([(8, $"Node '{ties}' (Softmax) needs all of them")], workshop.Kept.Select(k => (k.Count, k.Why)));
    }

    [Fact]
    public void WhatTorchRefusesOnlyWhileItComputesIsKnownBeforeAnythingIsBegun()
    {
        Torch.Require();
        ModelFile.Save(MixingNet.Build(classes: 3, channels: 1, side: 28), _study.Model(SearchRun.ReferenceId));
        using var workshop = new Workshop(_setup, _study);
        Assert.Contains("(Gemm) cannot be trained: torch says", workshop.WhyNot());
    }

    public void Dispose()
    {
        _study.Dispose();
        _said.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Trained Interrupted(Study study, string from, int steps, Action stepped)
    {
        using var workshop = new Workshop(_setup, study);
        using var interruption = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        workshop.Begin(AnyPlan, Stop);
        var done = 0;
        return workshop.Train(study.Model(from), study.Model("pruned-50.0"), AnyPlan, Steps, round: 0, rate: 0.01, () => false, _ =>
        {
            stepped();
            if (++done == steps) interruption.Cancel();
        }, interruption.Token);
    }

    private IReadOnlyList<Build> Recovered(Budget? budget = null)
    {
        using var images = _setup.Data.Read(SplitPart.Search, int.MaxValue, 1, Stop);
        using var workshop = new Workshop(_setup, _study);
        var judge = new Judge(_setup, _study, images);
        var reference = judge.Measure(SearchRun.ReferenceId, SearchRun.ReferenceId, Precision.Fp32, Stop);
        return new Recovery(_setup, _study, workshop, judge, new Pace(_study, budget ?? _setup.Budget), _ => 0, Telling()).Run(reference, 0, Stop);
    }

    private Telling Telling() => new(Bars.None(_said), new Pace(_study, _setup.Budget));

    private void SaveWithoutNumbers(string path)
    {
        var graph = ModelGraph.Load(_study.Model(SearchRun.ReferenceId));
        graph.Scale(graph.Nodes.Single(n => n.OpType is "Gemm" or "MatMul").Name, float.NaN);
        ModelFile.Save(graph.Model, path);
    }

    private void Plan(HalvingPlan halving)
    {
        Record("plan", StudyJson.Default.TrainingPlan, AnyPlan with { Halving = halving });
        foreach (var (place, id) in Four.Index()) Record($"start-{id}", StudyJson.Default.Start, new Start(100 + place, 100 + place));
        Record("rate", StudyJson.Default.LearningRate, new LearningRate(0.01));
    }

    private void Trained(string id, int round, int steps, bool isMeasured = true)
    {
        Record($"steps-{id}.{round}", StudyJson.Default.StepDecision, new StepDecision(Steps));
        Record($"trained-{id}.{round}", StudyJson.Default.Trained, new Trained(steps, 1, 1, 0.01));
        if (steps > 0 && isMeasured) Record($"answers-{id}.{round}", StudyJson.Default.Build, new Build(id, $"{id}.{round}", Precision.Fp32, 100, 100, 100, [.. new int[_setup.Data.CountOf(SplitPart.Search)]], 1));
    }

    private void Record<T>(string name, JsonTypeInfo<T> type, T value) where T : class => _study.Once(name, type, () => value);
}
