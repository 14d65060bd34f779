using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Telemetry.Board;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Latencies;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Outbox;

namespace Dunlin.Agent.Reporting;

/// <summary>Adds to a worker's window what only the supervisor knows: energy, heat, battery, memory, names. One thread.</summary>
internal sealed class WindowReport(
    LinkIdentity identity, MessageSequence sequence, EnergySampler energy, ThermalWatch thermal, BoardSensors board, MessageOutbox outbox, TimeProvider time)
{
    private TimeSpan _supervisorCpu = Environment.CpuUsage.TotalTime;

    /// <param name="window">From the worker.</param>
    /// <param name="end">Monotonic timestamp of its end.</param>
    /// <param name="session">What ran.</param>
    /// <param name="workerProcess">Null if it is gone already.</param>
    public TelemetryWindow Compose(FrameWindow window, long end, SessionSpec session, int? workerProcess)
    {
        var start = end - (long)(window.WindowSeconds * time.TimestampFrequency);
        var cpu = Environment.CpuUsage.TotalTime;
        var supervisorSeconds = (cpu - _supervisorCpu).TotalSeconds;
        _supervisorCpu = cpu;
        return new TelemetryWindow
        {
            Schema = TelemetryWindow.CurrentSchema,
            BootId = identity.BootId,
            Sequence = sequence.Next(),
            Time = time.GetUtcNow() - time.GetElapsedTime(end),
            WindowSeconds = window.WindowSeconds,
            Release = session.Release,
            Running = session.Contender,
            Frames = window.Frames,
            FramesPerSecond = window.Frames.Classified / window.WindowSeconds,
            Latency = LatencyMath.Summarize(window.Latency),
            Stages = window.Stages.ToDictionary(stage => stage.Key, stage => LatencyMath.Summarize(stage.Value)),
            // Two classes may bear one name: ImageNet has two cranes.
            Classes = window.Classes.GroupBy(pair => session.Labels[pair.Key]).ToDictionary(label => label.Key, label => label.Sum(pair => pair.Value)),
            Confidence = window.Confidence,
            Energy = energy.WindowOf(start, end, window.Frames.Classified),
            Thermal = thermal.TakeWindow(),
            Battery = board.ReadBattery(),
            Memory = new MemoryUse
            {
                SupervisorByteCount = board.ReadPssByteCount(Environment.ProcessId),
                WorkerByteCount = workerProcess is { } id ? board.ReadPssByteCount(id) : null,
                AvailableByteCount = board.ReadAvailableByteCount(),
            },
            Outbox = outbox.Counts,
            CpuSeconds = window.CpuSeconds + supervisorSeconds,
        };
    }
}
