using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Children;

/// <summary>What happens to the worker. Called on the worker's pipe thread, in order (<see cref="Exited"/> on another, after all of them): they must not wait.</summary>
public sealed record WorkerEvents
{
    /// <summary>A worker process is up and inside its sandbox.</summary>
    public Action<Ready>? Ready { get; init; }

    /// <summary>A session serves; after a restart again.</summary>
    public Action<Loaded>? Loaded { get; init; }

    /// <summary>A result and the session that it is of; its indices are labels of that session.</summary>
    public Action<SessionSpec, FrameResult>? Result { get; init; }

    /// <summary>A window and the session whose results it counts.</summary>
    public Action<SessionSpec, FrameWindow>? Window { get; init; }
    public Action<CameraHealth>? Camera { get; init; }

    public Action<WorkerExit>? Exited { get; init; }
}

/// <summary>A worker process has ended and another one follows, unless the supervisor stops.</summary>
/// <param name="Exit">How and why.</param>
/// <param name="Served">Whether it had loaded its session.</param>
/// <param name="LoadError">What it said of a failed load.</param>
public sealed record WorkerExit(ChildExit Exit, bool Served, ChildError? LoadError);

/// <summary>How a swap ended: with the session that serves, or with why the old one still does.</summary>
public sealed record SwapOutcome(Loaded? Loaded, string Code, string Reason)
{
    /// <summary>No session serves that another could stand beside, or there is no room beside it: a new process can have it.</summary>
    public const string Absent = "worker.absent", NoRoom = "worker.no-room";
}
