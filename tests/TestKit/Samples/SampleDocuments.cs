using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;

namespace Dunlin.TestKit.Samples;

/// <summary>Valid strict documents with every optional member set, to be changed with <c>with</c>.</summary>
public static class SampleDocuments
{
    public static DateTimeOffset Noon { get; } = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    public static Digest DigestOf(string text) => Digest.Of(System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>A blob description of a given size whose chunks are made up, but consistent.</summary>
    public static Blob Blob(string name, long size)
    {
        var count = (int)Contracts.Artifacts.Blob.CountChunks(size);
        return new Blob
        {
            Digest = DigestOf(name),
            Size = size,
            ChunkSize = Contracts.Artifacts.Blob.StandardChunkSize,
            Chunks = count == 1 ? [DigestOf(name)] : [.. Enumerable.Range(0, count).Select(i => DigestOf($"{name} {i}"))],
        };
    }

    public static Variant Variant(string id = "fp32", Precision precision = Precision.Fp32) => new()
    {
        Id = id,
        Blob = Blob(id, 100_000),
        Precision = precision,
        Techniques = [new Technique { Kind = "pruned", Summary = "pruned 0.45", Parameters = new Dictionary<string, string> { ["ratio"] = "0.45" } }],
        ParameterCount = 78_000,
        Macs = 12_000_000,
        PeakMemoryByteCount = 20_000_000,
        Accuracy = new Accuracy { Top1 = 0.93, Top5 = 0.99, SampleCount = 10_000, Top1Low = 0.925, Top1High = 0.935 },
        Floors = new GoldenFloors { Agreement = 0.98, Top1 = 0.9 },
        Requires = new Requirements { ExecutionProviders = ["CPUExecutionProvider"], CpuFeatures = ["avx2"], MemoryByteCount = 50_000_000 },
        Operators = ["Add", "Conv", "com.microsoft:Gelu"],
        Limits = new Limits { LoadMilliseconds = 10_000, MemoryByteCount = 200_000_000 },
    };

    public static Manifest Manifest() => new()
    {
        Schema = Contracts.Manifests.Manifest.CurrentSchema,
        Name = "garments",
        Version = 4,
        Label = "1.4.0",
        SecurityEpoch = 1,
        MinAgent = "0.1.0",
        Task = Contracts.Manifests.Manifest.ImageClassification,
        Created = Noon,
        Input = new InputSpec
        {
            Tensor = "input",
            Layout = TensorLayout.Nchw,
            Channels = ChannelOrder.Rgb,
            Width = 8,
            Height = 6,
            ElementType = ElementType.Float32,
            RegionOfInterest = new RegionOfInterest { X = 0.25, Y = 0, Width = 0.5, Height = 1 },
            Fit = FitMode.CenterCrop,
            CropFraction = 0.875,
            Interpolation = Interpolation.Area,
            Mean = [123.675f, 116.28f, 103.53f],
            Scale = [0.017f, 0.0175f, 0.0174f],
        },
        Output = new OutputSpec { Tensor = "scores", Activation = Activation.Softmax },
        Labels = Blob("labels", 120),
        Golden = new GoldenSpec { Blob = Blob("golden", 300_000), SampleCount = 200 },
        AccuracyFloor = 0.9,
        Variants = [Variant(), Variant("int8", Precision.Int8)],
    };

    public static Directive Directive() => new()
    {
        Schema = Contracts.Signing.Directive.CurrentSchema,
        Fleet = "plant-a",
        Device = "camera-7",
        Counter = 12,
        Release = DigestOf("release"),
        Signature = Blob("envelope", 9000),
        Sources = [new ArtifactSource { Kind = SourceKind.Oci, Location = "oci://registry.example:5000/garments" }, new ArtifactSource { Kind = SourceKind.Mqtt }],
        Issued = Noon,
        Expires = Noon.AddDays(7),
        Policy = new DirectivePolicy { TrialSeconds = 600, MinimumRuns = 1000, MaximumP95Milliseconds = 40, Objective = Objective.Energy },
    };

    public static Fresh Fresh() => new()
    {
        Schema = Contracts.Signing.Fresh.CurrentSchema,
        Fleet = "plant-a",
        Device = "camera-7",
        Time = Noon,
        Counter = 12,
        Expires = Noon.AddDays(1),
    };

    public static SignedCommand SignedCommand() => new()
    {
        Schema = Contracts.Signing.SignedCommand.CurrentSchema,
        Fleet = "plant-a",
        Device = "camera-7",
        BootId = "3f2c9a52c1f04c7fb0f1e8c5a8f0b1d2",
        Nonce = "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        Name = Command.LogLevel,
        Issued = Noon,
        Expires = Noon.AddSeconds(30),
        Level = "debug",
        Seconds = 600,
    };

    public static DsseEnvelope Envelope() => new()
    {
        PayloadType = MediaTypes.Directive,
        Payload = "{}"u8.ToArray(),
        Signatures = [new DsseSignature { KeyId = DigestOf("key").Hex, Sig = new byte[] { 1, 2, 3 } }],
    };

    public static Journal Journal() => new()
    {
        Schema = Contracts.Updates.Journal.CurrentSchema,
        State = UpdateState.Trial,
        Directive = DigestOf("directive"),
        Envelope = Envelope(),
        Release = DigestOf("release"),
        Previous = DigestOf("previous"),
        Tries = 2,
        Transitions = 9,
        EmptyWindows = 1,
        Reason = "trial.slow",
        Detail = "p95 was 80 ms",
    };

    public static Floors Floors() => new()
    {
        Schema = Contracts.Updates.Floors.CurrentSchema,
        RootVersion = 1,
        OnlineKeyIds = [DigestOf("key").Hex],
        Counter = 11,
        SecurityEpoch = 1,
        Time = Noon,
    };

    public static Seen Seen() => new()
    {
        Schema = Contracts.Updates.Seen.CurrentSchema,
        Directives = new Dictionary<Digest, SeenDirective>
        {
            [DigestOf("directive")] = new() { Result = UpdateState.RolledBack, Reason = "trial.slow", Time = Noon },
        },
    };

    public static IdlePowerRecord IdlePower() => new()
    {
        Schema = IdlePowerRecord.CurrentSchema,
        Watts = 2.5,
        CoveredSeconds = 3,
        Method = EnergyMethod.Measured,
        Scope = EnergyScope.Board,
        Source = "ina219",
        Meter = "ina219 at 0x40",
        Time = Noon,
    };

    public static Quarantine Quarantine() => new()
    {
        Schema = Contracts.Updates.Quarantine.CurrentSchema,
        Entries = [new QuarantineEntry { Digest = DigestOf("blob"), OnnxRuntimeVersion = "1.31.1", Reason = "golden.failed", Detail = "180 of 200", Time = Noon }],
    };
}
