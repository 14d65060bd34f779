namespace Dunlin.Telemetry.Power;

/// <summary>A meter that was named but is not there, as before its driver is loaded: looked for now and then, and from when it is found that one.</summary>
/// <param name="expected">What can be said of it before.</param>
/// <param name="time">Says when to look again.</param>
/// <param name="find">Looks for it.</param>
/// <param name="why">Why it was not found, in a sentence with what to do.</param>
internal sealed class AwaitedMeter(PowerProvenance expected, TimeProvider time, Func<IPowerMeter?> find, Func<string> why) : IPowerMeter
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);

    private IPowerMeter? _found;
    private string _why = why();
    private long _looked = time.GetTimestamp();

    public PowerProvenance Provenance => _found?.Provenance ?? expected;

    public string? Problem => _found is { } meter ? meter.Problem : _why;

    public bool TryRead(out PowerSample sample)
    {
        if (_found is null && time.GetElapsedTime(_looked) >= LookInterval) Look();
        if (_found is { } meter) return meter.TryRead(out sample);
        sample = default;
        return false;
    }

    public void Dispose() => _found?.Dispose();

    private void Look()
    {
        _looked = time.GetTimestamp();
        _found = find();
        if (_found is null) _why = why();
    }
}
