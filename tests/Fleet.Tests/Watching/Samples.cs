using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Updates;
using Dunlin.Telemetry.Latencies;

namespace Dunlin.Fleet.Tests.Watching;

/// <summary>Messages of a device that does its job.</summary>
internal static class Samples
{
    private static readonly DateTimeOffset Time = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly ContenderId Narrow = new("narrow-int8", "cpu", 1);

    public static DeviceStatus Status(DeviceState state) => new()
    {
        Schema = DeviceStatus.CurrentSchema, State = state, BootId = "b1", AgentVersion = "0.1.0", Time = Time,
        Hardware = new Hardware
        {
            Model = "Board", CpuModel = "CPU", Architecture = "arm64", Cores = 4, MemoryByteCount = 1 << 30, Kernel = "6.1", OperatingSystem = "Debian",
        },
    };

    public static Reported Reported(string reason = "narrow-int8 won the race by 31 %") => new()
    {
        Schema = Contracts.Messages.Reported.CurrentSchema, BootId = "b1", Sequence = 1, Time = Time,
        Release = new ReportedRelease(Digest.Of("manifest"u8), "garments", 3, "1.4.0", true),
        Wanted = Narrow, Running = Narrow, Reason = reason, Update = new ReportedUpdate(UpdateState.Idle),
        Camera = new CameraHealth { Camera = "folder", State = "ok", StallCount = 0, ReconnectCount = 0, CorruptCount = 0 },
        WorkerRestartCount = 0, Problems = [],
    };

    public static TelemetryWindow Window(params long[] buckets)
    {
        var latency = LatencyMath.Summarize(LatencyMath.HistogramOf(buckets));
        return new TelemetryWindow
        {
            Schema = TelemetryWindow.CurrentSchema, BootId = "b1", Sequence = 2, Time = Time, WindowSeconds = 10, Running = Narrow,
            Frames = new FrameCounts { Captured = 300, Classified = 293, Dropped = 5, Stale = 1, Corrupt = 1 },
            FramesPerSecond = 29.3, Latency = latency, Stages = new Dictionary<string, Latency>(), Classes = new Dictionary<string, long> { ["bag"] = 293 },
            Confidence = [0, 0, 0, 0, 0, 0, 0, 0, 0, 293],
            Energy = new EnergyWindow
            {
                Estimated = new EnergyReading
                {
                    Method = EnergyMethod.Estimated, Source = "cpu-time", Scope = EnergyScope.Process, Joules = 2, CoveredSeconds = 10, GapSeconds = 0,
                    SamplesPerSecond = 1, Uncertainty = 0.5, JoulesPerInference = 0.0068, JoulesPerDay = 17280,
                },
            },
            Thermal = new ThermalWindow { Celsius = 51 }, Memory = new MemoryUse(), Outbox = new OutboxCounts { Queued = 0, Dropped = 0 }, CpuSeconds = 1,
        };
    }
}
