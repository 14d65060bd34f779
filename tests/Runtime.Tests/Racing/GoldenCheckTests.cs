using Dunlin.Bundles.Golden;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;
using Dunlin.Runtime.Sessions;
using Dunlin.Runtime.Tests.Sessions;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Runtime.Tests.Racing;

public sealed class GoldenCheckTests : IDisposable
{
    private const int SampleCount = 200;
    private readonly SessionSpecs _specs = new();

    public void Dispose() => _specs.Dispose();

    [Fact]
    public void AVariantThatClassifiesAsOnTheWorkstationPasses()
    {
        var result = Check(OnnxModels.BrightestChannel());
        Assert.Equal((SampleCount, SampleCount, SampleCount, true), (result.SampleCount, result.AgreementCount, result.CorrectCount, result.Passed));
    }

    [Fact]
    public void AVariantThatClassifiesOtherwiseHereFails()
    {
        var result = Check(OnnxModels.BrightestChannel(wrong: true));
        Assert.Equal((0, 0, false), (result.AgreementCount, result.CorrectCount, result.Passed));
    }

    [Fact]
    public void ScoresThatAreNoNumbersFail() => Assert.False(Check(OnnxModels.NotANumber(classes: 3)).Passed);

    [Fact]
    public void ScoresThatAreNoProbabilitiesAreRefusedBeforeAWorkerEndsByThem()
    {
        var refused = Assert.Throws<ModelLoadException>(() => Check(OnnxModels.BrightestChannel(), activation: Activation.None));
        Assert.Equal("model.scores", refused.Code);
        Assert.Contains("scores outside 0…1", refused.Message, StringComparison.Ordinal);
        Assert.Contains("set output.activation to softmax", refused.Message, StringComparison.Ordinal);
        Assert.True(Check(OnnxModels.BrightestChannel(sharpness: 1), activation: Activation.None).Passed);
    }

    [Fact]
    public void ASetOfAnotherSizeOrWithoutTheVariantIsRefused()
    {
        Assert.Equal("golden.unreadable", Assert.Throws<ModelLoadException>(() => Check(OnnxModels.BrightestChannel(), side: 4)).Code);
        Assert.Equal("golden.unreadable", Assert.Throws<ModelLoadException>(() => Check(OnnxModels.BrightestChannel(), predictionsOf: "other")).Code);
    }

    // P(X ≤ 189) = 0.0025, P(X ≤ 190) = 0.0075, P(X ≤ 191) = 0.0202 for X ~ Binomial(200, 0.98), summed in exact arithmetic.
    [Theory]
    [InlineData(200, 0.98, true)]
    [InlineData(191, 0.98, true)]
    [InlineData(190, 0.98, false)]
    [InlineData(200, 1.0, true)]
    [InlineData(199, 1.0, false)]
    [InlineData(0, 0.0, true)]
    public void TheFloorIsJudgedByAnExactBinomialTest(int successes, double floor, bool holds) =>
        Assert.Equal(holds, GoldenCheck.Holds(successes, SampleCount, floor));

    [Fact]
    public void AVariantAtItsFloorFailsInAtMostOneInAHundred()
    {
        var random = new Random(1);
        var failed = Enumerable.Range(0, 20_000).Count(_ => !GoldenCheck.Holds(Enumerable.Range(0, SampleCount).Count(_ => random.NextDouble() < 0.95), SampleCount, 0.95));
        Assert.InRange(failed / 20_000.0, 0.001, 0.0115);
    }

    private Contracts.Race.GoldenResult Check(byte[] model, int side = 8, string predictionsOf = "tiny", Activation activation = Activation.Softmax)
    {
        var spec = _specs.Write(model, classes: 3);
        spec = spec with { Output = spec.Output with { Activation = activation } };
        var path = Path.Combine(_specs.Folder, "golden");
        WriteSet(path, side, predictionsOf);
        return Heats.Golden(
            new Golden { Session = spec, GoldenPath = path, Floors = new GoldenFloors { Agreement = 0.98, Top1 = 0.95 } }, CancellationToken.None).Result;
    }

    private static void WriteSet(string path, int side, string variant)
    {
        var random = new Random(7);
        var labels = Enumerable.Range(0, SampleCount).Select(i => i % 3).ToArray();
        var pixels = new byte[SampleCount * side * side * 3];
        for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(random.Next(100) + (i % 3 == labels[i / (side * side * 3)] ? 100 : 0));
        GoldenSet.Write(path, new GoldenContent
        {
            Shape = new GoldenShape(SampleCount, side, side, 3),
            Pixels = pixels,
            Labels = labels,
            Predictions = new Dictionary<string, IReadOnlyList<int>> { [variant] = labels },
        });
    }
}
