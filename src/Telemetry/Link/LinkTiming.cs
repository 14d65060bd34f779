namespace Dunlin.Telemetry.Link;

/// <summary>The link's patience.</summary>
internal sealed record LinkTiming
{
    /// <summary>The first wait is between nothing and this; the bound doubles with each failure.</summary>
    public TimeSpan BackoffBase { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan BackoffMaximum { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The shortest wait after another client took the session.</summary>
    public TimeSpan TakeoverBackoff { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A connection that lasted this long resets the back-off and clears the problem of a taken session.</summary>
    public TimeSpan StablePeriod { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For TCP, TLS and CONNACK together, and for each acknowledgement.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a device may be away before the broker calls it offline.</summary>
    public TimeSpan WillDelay { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>Full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS 2015): uniform in 0…min(maximum, base · 2^failures).</summary>
    public TimeSpan Backoff(int failures, double uniform)
    {
        var bound = Math.Min(BackoffMaximum.TotalSeconds, BackoffBase.TotalSeconds * Math.Pow(2, Math.Min(failures, 30)));
        return TimeSpan.FromSeconds(bound * uniform);
    }
}
