using Dunlin.Contracts.Worker;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Tests.Evaluation;

public sealed class InterleavedLatencyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-latency").FullName;

    [Fact]
    public void AModelWithFortyTimesTheArithmeticIsSlowerAndSpendsMoreCpuTime()
    {
        var (small, large) = (Model("small", [8, 8]), Model("large", [64, 64]));
        var times = InterleavedLatency.Measure([large, small, large], roundCount: 25, TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.True(times[0].Milliseconds > 2 * times[1].Milliseconds, $"{times[0]} {times[1]}");
        Assert.True(times[0].CpuMilliseconds > 2 * times[1].CpuMilliseconds);
        // The same model twice in one run: noise hits both alike.
        Assert.InRange(times[2].Milliseconds / times[0].Milliseconds, 0.5, 2);
        Assert.All(times, t => Assert.True(t.LowMilliseconds <= t.Milliseconds && t.Milliseconds <= t.HighMilliseconds));
    }

    [Fact]
    public void ThreeRoundsAreRunEvenWithoutABudgetAndThreadsAreTheSessions()
    {
        var model = Model("net", [8]);
        var two = model with { Contender = model.Contender with { Threads = 2 } };
        var times = InterleavedLatency.Measure([model, two], roundCount: 1000, TimeSpan.Zero, TestContext.Current.CancellationToken);
        Assert.Equal([1, 2], times.Select(t => t.Threads));
        Assert.All(times, t => Assert.True(t.Milliseconds > 0));
    }

    [Fact]
    public void JoulesAreCpuTimeTimesWatts() => Assert.Equal(0.012, new InferenceTime(1, 5, 5, 5, 4).Joules(wattsPerCore: 3), 9);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.5, 2.5)]
    [InlineData(0.25, 1.75)]
    [InlineData(1, 4)]
    public void QuantilesLieBetweenTheValues(double share, double expected) => Assert.Equal(expected, Quantiles.Of([1, 2, 3, 4], share), 9);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private SessionSpec Model(string name, int[] widths)
    {
        var path = Path.Combine(_folder, $"{name}.onnx");
        ModelFile.Save(ResidualGraph.Build(new ResidualSpec(widths, [.. widths.Select(_ => 1)], StemStride: 2, ClassCount: 10), [1, 1, 28, 28], seed: 1), path);
        var model = EvaluatedModel.Load(path, null, new InputOptions(null, null, null, Contracts.Manifests.FitMode.Stretch, null));
        return model.Session(FashionMnist.ClassNames, threads: 1);
    }
}
