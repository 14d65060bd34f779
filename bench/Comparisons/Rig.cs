using Dunlin.Bench.Material;
using Dunlin.Bench.Measuring;
using Dunlin.Bench.Processes;
using Dunlin.Bench.Reporting;
using Dunlin.TestKit.Brokers;

namespace Dunlin.Bench.Comparisons;

/// <summary>What every topic needs.</summary>
internal sealed record Rig(Workshop Workshop, Settings Settings, MosquittoBroker Broker, CancellationToken CancellationToken)
{
    public TimeSpan Duration => TimeSpan.FromSeconds(Settings.Seconds);

    /// <summary>Starts a program, measures it and ends it.</summary>
    public async Task<Throughput> MeasureAsync(Func<CancellationToken, Task<MeasuredProcess>> start, TimeSpan? duration = null)
    {
        await using var process = await start(CancellationToken);
        return await process.MeasureAsync(Measuring.Settings.WarmUp, duration ?? Duration, CancellationToken);
    }

    /// <summary>Starts a program once without looking, so that its files are in the page cache.</summary>
    public async Task PrimeAsync(Func<CancellationToken, Task<MeasuredProcess>> start)
    {
        await using var process = await start(CancellationToken);
    }

    public static Measurement Row(string topic, string name, string unit, Sample value, Threshold? threshold = null, string note = "") =>
        new() { Topic = topic, Name = name, Unit = unit, Value = value, Threshold = threshold, Note = note };
}
