using Dunlin.Contracts.Manifests;
using Dunlin.Runtime.Sessions;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Runtime.Tests.Sessions;

public sealed class ModelSessionTests : IDisposable
{
    private readonly SessionSpecs _specs = new();

    public void Dispose() => _specs.Dispose();

    [Fact]
    public void ARunGivesProbabilitiesThatSumToOne()
    {
        using var session = ModelSession.Create(_specs.Write(OnnxModels.Tiny()));
        using var input = session.CreateInput();
        Fill(input.Floats, 3);
        var scores = session.Run(input).ToArray();
        Assert.Equal(10, scores.Length);
        Assert.Equal(1, scores.Sum(), 1e-5);
        Assert.All(scores, score => Assert.InRange(score, 0, 1));
    }

    [Fact]
    public void TwoInputsOfOneSessionDoNotDisturbEachOther()
    {
        using var session = ModelSession.Create(_specs.Write(OnnxModels.Tiny(openBatch: true)));
        using var first = session.CreateInput();
        using var second = session.CreateInput();
        Fill(first.Floats, 1);
        var alone = session.Run(first).ToArray();
        Fill(second.Floats, 2);
        Assert.NotEqual(alone, session.Run(second).ToArray());
        Assert.Equal(alone, session.Run(first).ToArray());
    }

    [Fact]
    public void RunsAllocateNothing()
    {
        using var session = ModelSession.Create(_specs.Write(OnnxModels.Tiny()));
        using var input = session.CreateInput();
        for (var i = 0; i < 50; i++) session.Run(input);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) session.Run(input);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void AModelOfBytesTakesBytes()
    {
        using var session = ModelSession.Create(_specs.Write(OnnxModels.Tiny(uint8: true), type: ElementType.UInt8));
        using var input = session.CreateInput();
        Assert.Equal(192, input.Bytes.Length);
        Assert.True(input.Floats.IsEmpty);
        input.Bytes.Fill(7);
        Assert.Equal(1, session.Run(input).ToArray().Sum(), 1e-5);
    }

    [Fact]
    public void ScoresThatAreNoNumbersStayVisible()
    {
        using var session = ModelSession.Create(_specs.Write(OnnxModels.NotANumber()));
        using var input = session.CreateInput();
        Assert.All(session.Run(input).ToArray(), score => Assert.True(float.IsNaN(score)));
    }

    [Fact]
    public void AnotherInputShapeIsRefusedWithBothShapes()
    {
        var error = Refused(_specs.Write(OnnxModels.Tiny(side: 16)));
        Assert.Equal("model.input", error.Code);
        Assert.Contains("'input' must be float32 [1 × 3 × 8 × 8] but is float32 [1 × 3 × 16 × 16]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnotherElementTypeIsRefused() =>
        Assert.Equal("model.input", Refused(_specs.Write(OnnxModels.Tiny(uint8: true))).Code);

    [Fact]
    public void AnotherInputNameIsRefusedWithTheNamesThatThereAre()
    {
        var spec = _specs.Write(OnnxModels.Tiny());
        var error = Refused(spec with { Input = spec.Input with { Tensor = "image" } });
        Assert.Equal("model.input", error.Code);
        Assert.Contains("'image' but has 'input' (float32 [1 × 3 × 8 × 8])", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnotherNumberOfClassesThanLabelsIsRefused()
    {
        var error = Refused(_specs.Write(OnnxModels.Tiny(classes: 7)));
        Assert.Equal("model.output", error.Code);
        Assert.Contains("10 labels but is float32 [1 × 7]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AProviderThatIsNotInThisBuildIsRefused()
    {
        var spec = _specs.Write(OnnxModels.Tiny());
        var error = Refused(spec with { Contender = spec.Contender with { ExecutionProvider = "CUDAExecutionProvider" } });
        Assert.Equal("provider.missing", error.Code);
    }

    [Fact]
    public void GarbageAndAMissingFileAreRefused()
    {
        Assert.Equal("model.load", Refused(_specs.Write(HostileModels.Garbage)).Code);
        Assert.Equal("model.load", Refused(_specs.Write(OnnxModels.Tiny()) with { ModelPath = Path.Combine(_specs.Folder, "absent") }).Code);
    }

    [Fact]
    public void WeightsInAnotherFileAreRefusedEvenIfTheFileIsThere()
    {
        File.WriteAllBytes(Path.Combine(_specs.Folder, "weights.bin"), new byte[120]);
        Assert.Equal("model.external-data", Refused(_specs.Write(HostileModels.HasExternalData("weights.bin"))).Code);
    }

    private static ModelLoadException Refused(Contracts.Worker.SessionSpec spec) =>
        Assert.Throws<ModelLoadException>(() => ModelSession.Create(spec).Dispose());

    private static void Fill(Span<float> values, int seed)
    {
        var random = new Random(seed);
        foreach (ref var value in values) value = random.NextSingle();
    }
}
