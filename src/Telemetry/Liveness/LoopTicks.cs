using System.Collections.Concurrent;

namespace Dunlin.Telemetry.Liveness;

/// <summary>Knows whether every loop of the process still turns; the watchdog is fed only if all do. Thread-safe.</summary>
public sealed class LoopTicks(TimeProvider time)
{
    /// <summary>An environment variable that names a loop: it hangs from the fifth second on, so that the watchdog can be tried on a board.</summary>
    public const string FreezeVariable = "DUNLIN_FREEZE_LOOP";

    private readonly ConcurrentDictionary<string, LoopTick> _loops = new();
    private readonly string? _frozen = Environment.GetEnvironmentVariable(FreezeVariable);

    /// <param name="name">What people read when it hangs.</param>
    /// <param name="maximumInterval">The longest time between two ticks of a healthy loop.</param>
    public LoopTick Register(string name, TimeSpan maximumInterval) =>
        _loops.GetOrAdd(name, _ => new LoopTick(name, maximumInterval, time, freezes: name == _frozen));

    /// <summary>True once every registered loop has turned at least once.</summary>
    public bool AllStarted => _loops.Values.All(loop => loop.HasTicked);

    /// <summary>The loops that have not turned within their interval.</summary>
    public IReadOnlyList<string> Hanging => [.. _loops.Values.Where(loop => loop.IsHanging).Select(loop => loop.Name).Order()];
}

/// <summary>One loop's sign of life. A loop that has ended calls <see cref="Retire"/>.</summary>
public sealed class LoopTick
{
    private static readonly TimeSpan FreezesAfter = TimeSpan.FromSeconds(5), Interval = TimeSpan.FromSeconds(5);

    private readonly TimeSpan _maximumInterval;
    private readonly TimeProvider _time;
    private readonly bool _freezes;
    private readonly long _made;
    private long _last;
    private int _state;

    internal LoopTick(string name, TimeSpan maximumInterval, TimeProvider time, bool freezes)
    {
        (Name, _maximumInterval, _time, _freezes) = (name, maximumInterval, time, freezes);
        _last = _made = time.GetTimestamp();
    }

    public string Name { get; }

    internal bool HasTicked => Volatile.Read(ref _state) != 0;

    internal bool IsHanging =>
        Volatile.Read(ref _state) != 2 && _time.GetElapsedTime(Volatile.Read(ref _last)) > _maximumInterval;

    public void Tick()
    {
        if (_freezes && _time.GetElapsedTime(_made) > FreezesAfter) new ManualResetEventSlim().Wait();
        Volatile.Write(ref _last, _time.GetTimestamp());
        Interlocked.CompareExchange(ref _state, 1, 0);
    }

    /// <summary>Waits for what may take its time, and ticks meanwhile.</summary>
    public async Task TickUntilAsync(Task done)
    {
        while (true)
        {
            Tick();
            using var pause = new CancellationTokenSource();
            var ended = await Task.WhenAny(done, Task.Delay(Interval, _time, pause.Token));
            await pause.CancelAsync();
            if (ended != done) continue;
            await done;
            return;
        }
    }

    /// <summary>As above, for a result.</summary>
    public async Task<T> TickUntilAsync<T>(Task<T> done)
    {
        await TickUntilAsync((Task)done);
        return await done;
    }

    /// <summary>The loop ended as it should.</summary>
    public void Retire() => Volatile.Write(ref _state, 2);
}
