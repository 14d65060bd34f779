namespace Dunlin.Telemetry.Link;

/// <summary>The link's patience.</summary>
internal sealed record LinkTiming
{
    /// <summary>The first wait is between nothing and this; where this device's own network is away, the bound doubles with each failure.</summary>
    public TimeSpan BackoffBase { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The bound of the other waits where the broker is away: every device of the fleet waits with this one, and so wide is it
    /// that at most a twentieth of 500 devices come in any second, and all within a minute and a half.
    /// </summary>
    public TimeSpan BackoffMaximum { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>The shortest wait after another client took the session.</summary>
    public TimeSpan TakeoverBackoff { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A connection that lasted this long resets the back-off and clears the problem of a taken session.</summary>
    public TimeSpan StablePeriod { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For TCP, TLS and CONNACK together, and for each acknowledgement; large messages have more.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a device may be away before the broker calls it offline.</summary>
    public TimeSpan WillDelay { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>How often what the broker refused, a subscription or what it is to keep, is asked for again.</summary>
    public TimeSpan AskAgain { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS 2015): uniform from nothing to a bound.</summary>
    /// <param name="failures">In a row.</param>
    /// <param name="isCommon">The last failure is one that all devices see, and not this one's own.</param>
    /// <param name="uniform">0…1.</param>
    public TimeSpan Backoff(int failures, bool isCommon, double uniform)
    {
        var doubled = BackoffBase.TotalSeconds * Math.Pow(2, Math.Min(failures, 30));
        return TimeSpan.FromSeconds(uniform * (isCommon && failures > 0 ? BackoffMaximum.TotalSeconds : Math.Min(BackoffMaximum.TotalSeconds, doubled)));
    }
}
