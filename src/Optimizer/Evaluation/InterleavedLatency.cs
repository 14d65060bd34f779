using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Optimizer.Evaluation;

/// <summary>
/// Times models fairly: all are resident and take turns in rounds, forwards and backwards, so that whatever else the machine does hits
/// all alike. A turn lasts about a millisecond, as in a device's race, so that a model finds its own weights in the caches.
/// </summary>
internal static class InterleavedLatency
{
    /// <summary>Rounds that are enough for a median to stand still to a few parts in a hundred, and the time after which no more are begun.</summary>
    public const int RoundCount = 200;

    public static readonly TimeSpan Budget = TimeSpan.FromSeconds(20);

    private const int FewestRounds = 3;
    private const int WarmUpCount = 20;
    private const double WarmUpNanoseconds = 5e8;
    private const int MostRunsPerTurn = 32;
    private const double TurnNanoseconds = 1e6;

    /// <summary>The models' times in their order. One model may stand for several thread counts.</summary>
    /// <param name="models">As <see cref="EvaluatedModel.Session"/> makes them; each keeps a session's memory until the end.</param>
    /// <param name="roundCount">At most so many rounds.</param>
    /// <param name="budget">None is begun after it, but for the first three.</param>
    /// <param name="cancellationToken">Looked at between turns.</param>
    /// <exception cref="ModelLoadException">A model does not load.</exception>
    public static IReadOnlyList<InferenceTime> Measure(IReadOnlyList<SessionSpec> models, int roundCount, TimeSpan budget, CancellationToken cancellationToken)
    {
        var turns = new List<Turns>();
        try
        {
            foreach (var model in models)
            {
                cancellationToken.ThrowIfCancellationRequested();
                turns.Add(new Turns(SessionContender.Open(model, preference: 0)));
            }

            var start = TimeProvider.System.GetTimestamp();
            for (var round = 0; round < roundCount && (round < FewestRounds || TimeProvider.System.GetElapsedTime(start) < budget); round++)
            {
                for (var i = 0; i < turns.Count; i++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    turns[round % 2 == 0 ? i : turns.Count - 1 - i].Take();
                }
            }

            return [.. turns.Select(t => t.ToTime())];
        }
        finally
        {
            foreach (var turn in turns) turn.Dispose();
        }
    }

    private sealed class Turns : IDisposable
    {
        private readonly SessionContender _contender;
        private readonly RunSample[] _runs;
        private readonly List<double> _latencies = [], _cpuTimes = [];

        public Turns(SessionContender contender)
        {
            _contender = contender;
            RunSample last = default;
            for (var (i, spent) = (0, 0.0); i < WarmUpCount && spent < WarmUpNanoseconds; i++) spent += (last = contender.Measure()).LatencyNanoseconds;
            _runs = new RunSample[(int)Math.Clamp(Math.Ceiling(TurnNanoseconds / Math.Max(last.LatencyNanoseconds, 1)), 1, MostRunsPerTurn)];
        }

        public void Take()
        {
            for (var i = 0; i < _runs.Length; i++) _runs[i] = _contender.Measure();
            _latencies.Add(Quantiles.Median([.. _runs.Select(r => r.LatencyNanoseconds)]));
            _cpuTimes.Add(Quantiles.Median([.. _runs.Select(r => r.CpuNanoseconds)]));
        }

        public InferenceTime ToTime()
        {
            double[] sorted = [.. _latencies.Order()];
            double Milliseconds(double share) => Quantiles.Of(sorted, share) / 1e6;
            return new InferenceTime(_contender.Id.Threads, Milliseconds(0.5), Milliseconds(0.25), Milliseconds(0.75), Quantiles.Median(_cpuTimes) / 1e6);
        }

        public void Dispose() => _contender.Dispose();
    }
}

/// <summary>What one inference takes, without preprocessing.</summary>
/// <param name="Threads">That the session had.</param>
/// <param name="Milliseconds">The median over the rounds.</param>
/// <param name="LowMilliseconds">A quarter of the rounds were faster.</param>
/// <param name="HighMilliseconds">A quarter of the rounds were slower.</param>
/// <param name="CpuMilliseconds">CPU time of all threads, the median over the rounds.</param>
internal sealed record InferenceTime(int Threads, double Milliseconds, double LowMilliseconds, double HighMilliseconds, double CpuMilliseconds)
{
    /// <summary>An estimate of the energy, as the agent makes it where there is no sensor.</summary>
    /// <param name="wattsPerCore">What a busy core is taken to add.</param>
    public double Joules(double wattsPerCore) => CpuMilliseconds / 1000 * wattsPerCore;
}
