using System.Text.Json;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Updates;
using static Dunlin.TestKit.Samples.SampleDocuments;

namespace Dunlin.TestKit.Samples;

/// <summary>Valid messages with every optional member set, to be changed with <c>with</c>.</summary>
public static class SampleMessages
{
    private const string Boot = "3f2c9a52c1f04c7fb0f1e8c5a8f0b1d2";

    public static ContenderId Contender { get; } = new("int8", "CPUExecutionProvider", 1);

    public static Percentiles Percentiles { get; } = new(1.5, 2, 2.5, 9);

    public static Latency Latency { get; } = new()
    {
        Milliseconds = Percentiles,
        Histogram = new Histogram { Unit = "us", SignificantDigits = Histogram.StandardDigits, Buckets = [1503, 90, 2511, 10] },
    };

    public static EnergyReading Energy { get; } = new()
    {
        Method = EnergyMethod.Measured, Source = "ina219", Scope = EnergyScope.Board, Joules = 42, NetJoules = 12, CoveredSeconds = 9.9, GapSeconds = 0.1,
        SamplesPerSecond = 50, Uncertainty = 0.01, JoulesPerInference = 0.14, NetJoulesPerInference = 0.04, JoulesPerDay = 366_545,
    };

    public static CameraHealth Camera { get; } = new()
    {
        Camera = "/dev/video0", State = "ok", Format = "640x480 mjpeg", ExpectedFramesPerSecond = 30, ActualFramesPerSecond = 29.9,
        StallCount = 0, ReconnectCount = 1, CorruptCount = 2, MissedCount = 3, Detail = "reopened after unplug",
    };

    public static DeviceStatus Status() => new()
    {
        Schema = DeviceStatus.CurrentSchema, State = DeviceState.Online, BootId = Boot, AgentVersion = "0.1.0", Time = Noon,
        Hardware = new Hardware { Model = "Raspberry Pi 5 Model B Rev 1.0", CpuModel = "Cortex-A76", Architecture = "arm64", Cores = 4, MemoryByteCount = 8_000_000_000, Kernel = "6.12", OperatingSystem = "Debian 13" },
    };

    public static Reported Reported() => new()
    {
        Schema = Contracts.Messages.Reported.CurrentSchema, BootId = Boot, Sequence = 3, Time = Noon,
        Release = new ReportedRelease(DigestOf("release"), "garments", 4, "1.4.0", true), Wanted = Contender, Running = Contender, Reason = "int8 won the race",
        Update = new ReportedUpdate(UpdateState.Committed, DigestOf("directive"), DigestOf("release"), "none") { Detail = "It runs.", Progress = 1, Conditions = [UpdateCondition.Stale], RootVersion = 1, Counter = 12 }, Camera = Camera, WorkerRestartCount = 1, WorkerRestartReason = "The worker crashed.", Problems = ["The broker is away."],
    };

    public static Verdict Race() => new()
    {
        Schema = Verdict.CurrentSchema, Fingerprint = DigestOf("conditions"), Started = Noon, ElapsedMilliseconds = 450, Winner = Contender, Reason = "int8 has the lowest p95",
        Conditions = new RaceConditions
        {
            Release = DigestOf("release"), Contenders = [Contender], Objective = Objective.Latency, AccuracyFloor = 0.9, DeadlineMilliseconds = 33, BudgetMilliseconds = 20_000,
            UsableCores = 2, MemoryLimitByteCount = 4_000_000_000, OnnxRuntimeVersion = "1.31.1", AgentVersion = "0.1.0", CpuModel = "EPYC", CpuGovernor = "performance",
            ExecutionProviders = ["CPUExecutionProvider"], Kernel = "6.1", PowerMeter = "ina219",
        },
        Contenders =
        [
            new ContenderVerdict
            {
                Contender = Contender, Outcome = ContenderOutcome.Won, ReasonCode = "fastest", Reason = "p95 2 ms", RunCount = 80, ThrottledRunCount = 1, LatencyMilliseconds = Percentiles,
                CpuMilliseconds = 1.4, Energy = new JoulesPerInference(0.02, EnergyMethod.Estimated, "cpu-time"), MemoryByteCount = 1_000_000, Golden = new GoldenResult(200, 200, 186, true), Top1 = 0.93,
            },
        ],
    };

    public static Outcome Outcome() => new()
    {
        Schema = Contracts.Messages.Outcome.CurrentSchema, BootId = Boot, Sequence = 4, Time = Noon, Directive = DigestOf("directive"), Release = DigestOf("release"),
        Result = UpdateState.RolledBack, Reason = "trial.slow", Detail = "p95 was 80 ms",
    };

    public static TelemetryWindow Telemetry() => new()
    {
        Schema = TelemetryWindow.CurrentSchema, BootId = Boot, Sequence = 5, Time = Noon, WindowSeconds = 10, Release = DigestOf("release"), Running = Contender,
        Frames = new FrameCounts { Captured = 300, Classified = 298, Dropped = 1, Stale = 0, Corrupt = 1 }, FramesPerSecond = 29.8, Latency = Latency,
        Stages = new Dictionary<string, Latency> { ["inference"] = Latency }, Classes = new Dictionary<string, long> { ["coat"] = 298 }, Confidence = [0, 0, 0, 0, 0, 1, 2, 5, 40, 250],
        Energy = new EnergyWindow { Measured = Energy, Estimated = Energy with { Method = EnergyMethod.Estimated, Source = "cpu-time", Scope = EnergyScope.Process } },
        Thermal = new ThermalWindow { Celsius = 61, Throttled = true, ThrottleReason = "thermal", CpuMegahertz = 2400 },
        Battery = new BatteryState { Percent = 15, Discharging = true, Low = true },
        Memory = new MemoryUse { SupervisorByteCount = 30_000_000, WorkerByteCount = 50_000_000, AvailableByteCount = 3_000_000_000 },
        Outbox = new OutboxCounts { Queued = 0, Dropped = 0 }, CpuSeconds = 1.2,
    };

    public static Classification Result() => new()
    {
        Schema = Classification.CurrentSchema, BootId = Boot, Sequence = 6, Frame = 299, Captured = Noon, Release = DigestOf("release"), Variant = "int8",
        Scores = [new Score(4, "coat", 0.97)], LatencyMilliseconds = 2.1,
    };

    public static Command Command() => new() { Id = "7" };

    public static Reply Reply() => new()
    {
        Schema = Contracts.Messages.Reply.CurrentSchema, BootId = Boot, Sequence = 7, Time = Noon, Command = Contracts.Messages.Command.Ping, Id = "7", Ok = false,
        Code = "command.rate-limited", Detail = "one ping a second", Payload = JsonSerializer.SerializeToElement("pong"),
    };

    public static BlobRequest BlobRequest() => new() { Digest = DigestOf("blob"), Offset = 65536, Length = 65536 };
}
