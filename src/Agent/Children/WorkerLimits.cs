using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Children;

/// <summary>What the worker may use, and how long it may be silent.</summary>
public sealed record WorkerLimits
{
    /// <summary>Private writable memory.</summary>
    public long MemoryByteCount { get; init; } = 1024L * 1024 * 1024;

    /// <summary>What of it a worker needs beside its sessions.</summary>
    public long ProcessByteCount { get; init; } = 256L * 1024 * 1024;

    /// <summary>Silence that counts as a hang, once the loops tick.</summary>
    public TimeSpan HeartbeatTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From the process's start to its first session, and from a swap to the new one.</summary>
    public TimeSpan LoadTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>From asking it to stop to killing it.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan FirstRestartDelay { get; init; } = TimeSpan.FromSeconds(0.25);
    public TimeSpan LongestRestartDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A worker that lived so long is no part of a crash loop.</summary>
    public TimeSpan CalmTime { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>What a session needs, by its variant's manifest; more than <see cref="WorkerLimits"/> have is given.</summary>
/// <param name="MemoryByteCount">Private writable memory that it adds to the process.</param>
/// <param name="LoadTime">From the process's start until it is up.</param>
/// <param name="RunTime">One inference on the slowest board, which is no hang.</param>
public readonly record struct SessionNeeds(long MemoryByteCount, TimeSpan LoadTime, TimeSpan RunTime = default);

/// <summary>What the worker is to do.</summary>
public sealed record WorkerAssignment
{
    public required Load Load { get; init; }

    public SessionNeeds Needs { get; init; }

    /// <summary>What it may read besides its first model and the camera's folder: the cache, for later swaps. Must exist.</summary>
    public IReadOnlyList<string> Read { get; init; } = [];

    /// <summary>Asked before each start but the first. Null: the session is loaded as it was.</summary>
    public RenewSession? Renew { get; init; }

    /// <summary>The read end of the camera's pipe, which stays the caller's; the child has it as <see cref="ChildDescriptors.Camera"/>.</summary>
    public int? CameraPipe { get; init; }
}

/// <summary>Gives a session as it is to be loaded now, since its files may have gone or changed; or null, and why it cannot be.</summary>
/// <param name="session">As it was loaded last.</param>
/// <param name="cancellationToken">Another session is wanted instead, or none.</param>
public delegate Task<(SessionSpec? Session, string? Problem)> RenewSession(SessionSpec session, CancellationToken cancellationToken);
