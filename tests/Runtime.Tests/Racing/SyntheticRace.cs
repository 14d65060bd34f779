using Dunlin.Contracts.Race;
using Dunlin.Runtime.Racing;

namespace Dunlin.Runtime.Tests.Racing;

/// <summary>A board whose clock moves only as contenders run: it drifts, and throttles in spells.</summary>
internal sealed class SyntheticBoard(int seed) : TimeProvider
{
    private double _nanoseconds;

    public Random Random { get; } = new(seed);

    /// <summary>How much slower everything is after the first second, reached steadily.</summary>
    public double DriftPerSecond { get; init; }

    /// <summary>Seconds of one spell during which everything takes 1.8 times as long, but for those that throttling hits twice.</summary>
    public (double Start, double End) Throttled { get; init; } = (-1, -1);

    public bool IsThrottled => Seconds >= Throttled.Start && Seconds < Throttled.End;
    public double Seconds => _nanoseconds / 1e9;
    public override long TimestampFrequency => 1_000_000_000;
    public override long GetTimestamp() => (long)_nanoseconds;
    public void Advance(double nanoseconds) => _nanoseconds += nanoseconds;
}

/// <summary>Its latency is log-normal, with spikes of a scheduler that gave the core to another.</summary>
internal sealed class SyntheticContender(SyntheticBoard board, string name, double milliseconds, int preference) : IContender
{
    public double Noise { get; init; } = 0.08;
    public double SpikeShare { get; init; } = 0.03;
    public double ThrottlingFactor { get; init; } = 1.8;

    /// <summary>The run that throws, counted from 1; 0: none.</summary>
    public int FailsAtRun { get; init; }

    /// <summary>The run in which the whole board stands still, counted from 1; 0: none.</summary>
    public int StandstillAtRun { get; init; }

    public TimeSpan Standstill { get; init; }

    /// <summary>In four of each fifty milliseconds something of the board makes it three times slower.</summary>
    public bool HasSpells { get; init; }

    public int RunCount { get; private set; }
    public double Milliseconds => milliseconds;
    public ContenderId Id { get; } = new(name, "CPUExecutionProvider", 1);
    public int Preference => preference;

    public RunSample Measure()
    {
        if (++RunCount == FailsAtRun) throw new InvalidOperationException("kernel failed");
        var normal = Math.Sqrt(-2 * Math.Log(1 - board.Random.NextDouble())) * Math.Cos(2 * Math.PI * board.Random.NextDouble());
        var latency = milliseconds * 1e6 * Math.Exp(Noise * normal) * (1 + board.DriftPerSecond * Math.Min(board.Seconds, 1));
        if (board.IsThrottled) latency *= ThrottlingFactor;
        if (HasSpells && board.Seconds % 0.050 >= 0.046) latency *= 3;
        var cpu = latency;
        // Pareto with α = 1.2: the variance does not exist.
        if (board.Random.NextDouble() < SpikeShare) latency += milliseconds * 1e6 * (Math.Pow(1 - board.Random.NextDouble(), -1 / 1.2) - 0.5);
        latency = Math.Min(latency, 2e9);
        if (RunCount == StandstillAtRun) latency += Standstill.TotalNanoseconds;
        board.Advance(latency);
        return new RunSample(latency, cpu);
    }
}
