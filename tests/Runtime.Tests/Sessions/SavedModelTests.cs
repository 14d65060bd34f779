using Dunlin.Contracts.Artifacts;
using Dunlin.Runtime.Sessions;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Runtime.Tests.Sessions;

public sealed class SavedModelTests : IDisposable
{
    private readonly SessionSpecs _specs = new();

    public void Dispose() => _specs.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public void ItHasExactlyTwoFilesAndTheSameScores(int depth)
    {
        var spec = _specs.Write(OnnxModels.Tiny(depth: depth, channels: 32));
        var directory = Path.Combine(_specs.Folder, "saved");
        var saved = SavedModel.Save(spec, directory);
        Assert.Equal(["model.onnx", "model.weights"], Directory.GetFiles(directory).Select(Path.GetFileName).Order());
        Assert.Equal(Scores(spec), Scores(saved));
    }

    [Fact]
    public void ItIsRefusedWhereTheModelIsNotTheManifests()
    {
        var error = Assert.Throws<ModelLoadException>(() => SavedModel.Save(_specs.Write(OnnxModels.Tiny(side: 16)), Path.Combine(_specs.Folder, "saved")));
        Assert.Equal("model.input", error.Code);
    }

    [Fact]
    public void ItIsNotMixedWithWhatLiesThere()
    {
        var error = Assert.Throws<ModelLoadException>(() => SavedModel.Save(_specs.Write(OnnxModels.Tiny()), _specs.Folder));
        Assert.Equal("model.save", error.Code);
    }

    [Fact]
    public void ItsWeightsAreMapped()
    {
        var saved = SavedModel.Save(_specs.Write(OnnxModels.Heavy(), side: 7), Path.Combine(_specs.Folder, "saved"));
        using var session = ModelSession.Create(saved);
        Assert.Contains(SavedModel.WeightsFile, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
    }

    [Fact]
    public void ItsKeyDependsOnEverythingThatChangesIt()
    {
        var variant = Digest.Of("variant"u8);
        var key = SavedModelKey.Compute(variant, "1.31.1", ["avx2", "fma"], Providers.Cpu);
        Assert.Equal(key, SavedModelKey.Compute(variant, "1.31.1", ["fma", "avx2", "fma"], Providers.Cpu));
        Assert.NotEqual(key, SavedModelKey.Compute(Digest.Of("other"u8), "1.31.1", ["avx2", "fma"], Providers.Cpu));
        Assert.NotEqual(key, SavedModelKey.Compute(variant, "1.31.2", ["avx2", "fma"], Providers.Cpu));
        Assert.NotEqual(key, SavedModelKey.Compute(variant, "1.31.1", ["avx2"], Providers.Cpu));
        Assert.NotEqual(key, SavedModelKey.Compute(variant, "1.31.1", ["avx2", "fma"], "XnnpackExecutionProvider"));
    }

    private static float[] Scores(Contracts.Worker.SessionSpec spec)
    {
        using var session = ModelSession.Create(spec);
        using var input = session.CreateInput();
        for (var i = 0; i < input.Floats.Length; i++) input.Floats[i] = i % 17 / 17f;
        return session.Run(input).ToArray();
    }
}
