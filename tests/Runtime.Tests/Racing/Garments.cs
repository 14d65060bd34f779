using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Runtime.Sessions;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Runtime.Tests.Racing;

/// <summary>A manifest of two variants, and the board that they are raced on.</summary>
internal static class Garments
{
    public static Variant Variant(string id, double top1 = 0.9) => new()
    {
        Id = id,
        Blob = new Blob { Digest = Digest.Of([1]), Size = 1000, ChunkSize = Blob.StandardChunkSize, Chunks = [Digest.Of([1])] },
        Precision = Precision.Fp32,
        Techniques = [],
        ParameterCount = 1000,
        Macs = 1000,
        PeakMemoryByteCount = 1 << 20,
        Accuracy = new Accuracy { Top1 = top1, Top5 = 1, SampleCount = 10_000, Top1Low = top1 - 0.01, Top1High = top1 + 0.01 },
        Floors = new GoldenFloors { Agreement = 0.98, Top1 = 0.85 },
        Requires = new Requirements { ExecutionProviders = [Providers.Cpu], CpuFeatures = [], MemoryByteCount = 1 << 20 },
        Operators = ["Conv"],
        Limits = new Limits { LoadMilliseconds = 1000, MemoryByteCount = 100 << 20 },
    };

    public static Manifest Manifest(params Variant[] variants) => new()
    {
        Schema = Contracts.Manifests.Manifest.CurrentSchema,
        Name = "garments",
        Version = 1,
        Label = "1.0.0",
        SecurityEpoch = 0,
        MinAgent = "0.1.0",
        Task = Contracts.Manifests.Manifest.ImageClassification,
        Created = DateTimeOffset.UnixEpoch,
        Input = OnnxModels.Pixels(),
        Output = OnnxModels.Scores,
        Labels = Variant("labels").Blob,
        Golden = new GoldenSpec { Blob = Variant("golden").Blob, SampleCount = 200 },
        AccuracyFloor = 0.8,
        Variants = variants,
    };

    public static RaceConditions Conditions(params ContenderId[] contenders) => new()
    {
        Release = Digest.Of("release"u8),
        Contenders = contenders,
        Objective = Objective.Latency,
        AccuracyFloor = 0.8,
        BudgetMilliseconds = 20_000,
        UsableCores = 2,
        MemoryLimitByteCount = 1 << 30,
        OnnxRuntimeVersion = "1.31.1",
        AgentVersion = "0.1.0",
        CpuModel = "test",
        ExecutionProviders = [Providers.Cpu],
        Kernel = "6.1",
    };

    public static ContenderId Id(string variant, int threads = 1) => new(variant, Providers.Cpu, threads);
}
