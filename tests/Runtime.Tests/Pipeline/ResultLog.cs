using Dunlin.Contracts.Race;
using Dunlin.Runtime.Pipeline;

namespace Dunlin.Runtime.Tests.Pipeline;

/// <summary>Remembers outcomes in memory that was there before, and does what a test asks after each.</summary>
internal sealed class ResultLog(Action<int>? afterEach = null) : IFrameObserver
{
    private readonly Entry[] _entries = new Entry[10_000];
    private int _count;

    public int Count => Volatile.Read(ref _count);
    public ReadOnlySpan<Entry> Entries => _entries.AsSpan(0, Count);

    public void OnResult(in FrameOutcome outcome)
    {
        _entries[_count] = new Entry(
            outcome.Number, outcome.Contender, outcome.Scores[0].Index, outcome.TotalNanoseconds,
            outcome.WaitNanoseconds + outcome.PreprocessNanoseconds + outcome.InferenceNanoseconds + outcome.PostprocessNanoseconds,
            outcome.WaitNanoseconds);
        Volatile.Write(ref _count, _count + 1);
        afterEach?.Invoke(_count);
    }

    internal readonly record struct Entry(
        long Number, ContenderId Contender, int Best, long TotalNanoseconds, long StagesNanoseconds, long WaitNanoseconds);
}
