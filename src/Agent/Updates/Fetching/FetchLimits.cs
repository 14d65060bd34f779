namespace Dunlin.Agent.Updates.Fetching;

/// <summary>What no source may exceed, and how patient the device is. Tests use smaller ones.</summary>
internal sealed record FetchLimits
{
    /// <summary>Bytes per second below which a source is left for the next one.</summary>
    public int MinimumBytesPerSecond { get; init; } = 1024;

    /// <summary>The time over which <see cref="MinimumBytesPerSecond"/> is measured.</summary>
    public TimeSpan SlowWindow { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>For all blobs of a release together.</summary>
    public TimeSpan TotalTime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long no chunk at all may arrive while sources fail in ways that may pass.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromHours(6);

    /// <summary>Bytes of all blobs of a release together.</summary>
    public long MaximumByteCount { get; init; } = 2L * 1024 * 1024 * 1024;

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The first wait is between nothing and this; the bound doubles with each failure without progress.</summary>
    public TimeSpan BackoffBase { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan BackoffMaximum { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Wrong deliveries of one chunk, over all sources, that end the fetch.</summary>
    public int MaximumDeliveriesOfAChunk { get; init; } = 8;

    /// <summary>Wrong chunks in a row that end a request: the rest would be no better.</summary>
    public int MaximumBadChunksInARow { get; init; } = 3;

    /// <summary>Times that the disk may lose a blob before the fetch is given up.</summary>
    public int MaximumDiskFailures { get; init; } = 2;

    /// <summary>MQTT: chunks asked for and not yet answered, at most, over a fast link.</summary>
    public int OutstandingChunks { get; init; } = 4;

    /// <summary>MQTT: time without any answer after which a piece of a chunk is asked for again.</summary>
    public TimeSpan ChunkTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS 2015).</summary>
    public TimeSpan Backoff(int failures, double uniform) =>
        TimeSpan.FromSeconds(Math.Min(BackoffMaximum.TotalSeconds, BackoffBase.TotalSeconds * Math.Pow(2, Math.Min(failures, 30))) * uniform);
}
