using System.Text;
using Dunlin.Bundles.Store;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Runtime.ModelCheck;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Samples;

namespace Dunlin.Torture.Fuzzing;

/// <summary>One parser of untrusted bytes. It may refuse; whatever it throws beyond that is a find.</summary>
/// <param name="Name">On the command line, and in the corpus's folder.</param>
/// <param name="Assembly">The one to be instrumented.</param>
/// <param name="Run">Feeds it.</param>
/// <param name="Seeds">Where the fuzzer starts from.</param>
internal sealed record FuzzTarget(string Name, string Assembly, Action<byte[]> Run, Func<IEnumerable<byte[]>> Seeds)
{
    private const int LargestSeedByteCount = 20_000;

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("envelope", "Dunlin.Contracts.dll", bytes => DsseEnvelope.Format.Read(bytes), Envelopes),
        new("manifest", "Dunlin.Contracts.dll", bytes => Manifest.Format.Read(bytes), Manifests),
        new("journal", "Dunlin.Contracts.dll", bytes => Journal.Format.Read(bytes), Journals),
        new("chunk-map", "Dunlin.Bundles.dll", ReadMap, Maps),
        new("onnx", "Dunlin.Runtime.dll", Walk, Models),
    ];

    // Not before the first input: instrumented code must not run until the fuzzer's memory is there.
    private static readonly Lazy<Blob> MapBlob = new(() => SampleDocuments.Blob("fuzzed", 40 * Blob.StandardChunkSize));

    private static void Walk(byte[] bytes)
    {
        try
        {
            ModelWalk.Check(new MemoryStream(bytes), Claims(bytes.Length));
        }
        catch (ModelRefusedException)
        {
        }
    }

    private static void ReadMap(byte[] bytes)
    {
        if (ChunkMap.Read(bytes, MapBlob.Value) is not { } map) return;
        for (var chunk = 0; chunk < map.ChunkCount; chunk++) map[chunk] = !map[chunk];
        if (map.Bytes.Length != bytes.Length) throw new InvalidOperationException("A map changed its length.");
    }

    internal static Contracts.Worker.CheckModel Claims(long byteCount) => new()
    {
        ModelPath = "fuzzed.onnx",
        ByteCount = byteCount,
        Operators = HostileModel.Operators,
        Input = SampleDocuments.Manifest().Input with { Tensor = OnnxModels.Input, Width = 8, Height = 8, ElementType = ElementType.Float32 },
        Output = new OutputSpec { Tensor = OnnxModels.Output, Activation = Activation.Softmax },
        ClassCount = 10,
    };

    private static IEnumerable<byte[]> Envelopes()
    {
        var good = DsseEnvelope.Format.Write(Envelope());
        return [good, [.. "{}"u8], [.. "null"u8]];
    }

    private static DsseEnvelope Envelope() => new()
    {
        PayloadType = "application/vnd.dunlin.directive.v1+json",
        Payload = Encoding.UTF8.GetBytes("""{"schema":"dunlin.directive.v1"}"""),
        Signatures = [new DsseSignature { KeyId = new string('a', 64), Sig = new byte[64] }],
    };

    private static IEnumerable<byte[]> Manifests() => [Manifest.Format.Write(SampleDocuments.Manifest()), [.. "{\"schema\":1}"u8]];

    private static IEnumerable<byte[]> Journals() =>
    [
        Journal.Format.Write(new Journal { Schema = Journal.CurrentSchema, State = UpdateState.Idle }),
        Journal.Format.Write(new Journal { Schema = Journal.CurrentSchema, State = UpdateState.Trial, Directive = Digest.Of("d"u8), Release = Digest.Of("r"u8), Envelope = Envelope(), Tries = 2 }),
    ];

    private static IEnumerable<byte[]> Maps()
    {
        var map = ChunkMap.Empty(MapBlob.Value);
        yield return map.Bytes.ToArray();
        map[7] = true;
        yield return map.Bytes.ToArray();
        yield return map.Bytes[..20].ToArray();
    }

    private static IEnumerable<byte[]> Models() =>
        [OnnxModels.Tiny(channels: 1), OnnxModels.BrightestChannel(), .. HostileModel.Corpus.Where(model => !model.Name.Contains("million", StringComparison.Ordinal)).Select(model => model.Make()).Where(bytes => bytes.Length is > 0 and < LargestSeedByteCount)];
}
