using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Sessions;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Runtime.Tests.Sessions;

/// <summary>Model files in a folder of their own, and the specs that load them.</summary>
public sealed class SessionSpecs : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("dunlin-sessions-").FullName;

    public SessionSpec Write(byte[] model, string variant = "tiny", int side = 8, int classes = 10, int threads = 1, ElementType type = ElementType.Float32)
    {
        var path = Path.Combine(Folder, variant + ".onnx");
        File.WriteAllBytes(path, model);
        return new SessionSpec
        {
            ModelPath = path,
            Saved = false,
            Release = Digest.Of("release"u8),
            Contender = new ContenderId(variant, Providers.Cpu, threads),
            Input = OnnxModels.Pixels(side, type, 1 / 255f),
            Output = OnnxModels.Scores,
            Labels = [.. Enumerable.Range(0, classes).Select(i => $"class {i}")],
        };
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
