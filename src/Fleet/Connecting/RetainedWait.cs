namespace Dunlin.Fleet.Connecting;

/// <summary>
/// Waits until the broker has sent what it keeps. Nothing marks the end of that, so a silence has to: Mosquitto sends 20
/// messages, and more when those are acknowledged, so that a silence means nothing before the link's round trips have passed.
/// </summary>
internal sealed class RetainedWait(TimeProvider time)
{
    private const int RoundTrips = 4, Looks = 6, Silences = 35;
    private static readonly TimeSpan LeastSilence = TimeSpan.FromMilliseconds(300);
    private long _lastArrival = time.GetTimestamp();

    /// <summary>A message came. Thread-safe.</summary>
    public void Saw() => Volatile.Write(ref _lastArrival, time.GetTimestamp());

    /// <param name="roundTrip">As measured on this connection.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task UntilSilentAsync(TimeSpan roundTrip, CancellationToken cancellationToken)
    {
        var silence = RoundTrips * roundTrip > LeastSilence ? RoundTrips * roundTrip : LeastSilence;
        var started = time.GetTimestamp();
        Volatile.Write(ref _lastArrival, started);
        while (time.GetElapsedTime(Volatile.Read(ref _lastArrival)) < silence && time.GetElapsedTime(started) < Silences * silence)
            await Task.Delay(silence / Looks, time, cancellationToken);
    }
}
