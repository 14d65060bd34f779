using System.Collections.Frozen;
using Dunlin.Contracts.Updates;

namespace Dunlin.Agent.Updates;

/// <summary>What ends a state.</summary>
internal enum UpdateEvent
{
    /// <summary>What the state announced is done.</summary>
    Done = 1,

    /// <summary>The release already runs and is committed: nothing is left to do.</summary>
    AlreadyRuns = 2,

    /// <summary>It could not be done; a code says why.</summary>
    Failed = 3,

    /// <summary>A newer directive was accepted.</summary>
    Superseded = 4,

    /// <summary>The agent was started again: the state is done once more.</summary>
    Restarted = 5,
}

/// <summary>The states of an update (docs/operations.md). A state is journalled before the action that it names.</summary>
internal static class UpdateTable
{
    /// <summary>More transitions than this end an update, whatever it does.</summary>
    public const int MaximumTransitions = 40;

    /// <summary>Starts of a trial; a release that ends the agent each time is rolled back at the next.</summary>
    public const int MaximumTries = 3;

    /// <summary>Trial windows without enough frames.</summary>
    public const int MaximumEmptyWindows = 4;

    private static readonly FrozenDictionary<(UpdateState, UpdateEvent), UpdateState> Next = new Dictionary<(UpdateState, UpdateEvent), UpdateState>
    {
        [(UpdateState.Received, UpdateEvent.Done)] = UpdateState.Fetching,
        [(UpdateState.Received, UpdateEvent.AlreadyRuns)] = UpdateState.Committed,
        [(UpdateState.Received, UpdateEvent.Failed)] = UpdateState.Rejected,
        [(UpdateState.Received, UpdateEvent.Superseded)] = UpdateState.Cancelled,
        [(UpdateState.Received, UpdateEvent.Restarted)] = UpdateState.Received,

        [(UpdateState.Fetching, UpdateEvent.Done)] = UpdateState.Fetched,
        [(UpdateState.Fetching, UpdateEvent.Failed)] = UpdateState.Rejected,
        [(UpdateState.Fetching, UpdateEvent.Superseded)] = UpdateState.Cancelled,
        [(UpdateState.Fetching, UpdateEvent.Restarted)] = UpdateState.Fetching,

        [(UpdateState.Fetched, UpdateEvent.Done)] = UpdateState.Checked,
        [(UpdateState.Fetched, UpdateEvent.Failed)] = UpdateState.Rejected,
        [(UpdateState.Fetched, UpdateEvent.Superseded)] = UpdateState.Cancelled,
        [(UpdateState.Fetched, UpdateEvent.Restarted)] = UpdateState.Fetched,

        [(UpdateState.Checked, UpdateEvent.Done)] = UpdateState.Raced,
        [(UpdateState.Checked, UpdateEvent.Failed)] = UpdateState.Rejected,
        [(UpdateState.Checked, UpdateEvent.Superseded)] = UpdateState.Cancelled,
        [(UpdateState.Checked, UpdateEvent.Restarted)] = UpdateState.Checked,

        [(UpdateState.Raced, UpdateEvent.Done)] = UpdateState.Switching,
        [(UpdateState.Raced, UpdateEvent.Failed)] = UpdateState.Rejected,
        [(UpdateState.Raced, UpdateEvent.Superseded)] = UpdateState.Cancelled,
        [(UpdateState.Raced, UpdateEvent.Restarted)] = UpdateState.Raced,

        [(UpdateState.Switching, UpdateEvent.Done)] = UpdateState.Trial,
        [(UpdateState.Switching, UpdateEvent.Failed)] = UpdateState.RolledBack,
        [(UpdateState.Switching, UpdateEvent.Superseded)] = UpdateState.RolledBack,
        [(UpdateState.Switching, UpdateEvent.Restarted)] = UpdateState.Switching,

        [(UpdateState.Trial, UpdateEvent.Done)] = UpdateState.Committed,
        [(UpdateState.Trial, UpdateEvent.Failed)] = UpdateState.RolledBack,
        [(UpdateState.Trial, UpdateEvent.Superseded)] = UpdateState.RolledBack,
        [(UpdateState.Trial, UpdateEvent.Restarted)] = UpdateState.Trial,

        [(UpdateState.Committed, UpdateEvent.Done)] = UpdateState.Idle,
        [(UpdateState.Rejected, UpdateEvent.Done)] = UpdateState.Idle,
        [(UpdateState.RolledBack, UpdateEvent.Done)] = UpdateState.Idle,
        [(UpdateState.Cancelled, UpdateEvent.Done)] = UpdateState.Idle,
    }.ToFrozenDictionary();

    /// <summary>The state that follows, or null where the event means nothing.</summary>
    public static UpdateState? After(UpdateState state, UpdateEvent happened) => Next.TryGetValue((state, happened), out var next) ? next : null;

    /// <summary>How the update ended; what is left is to say so.</summary>
    public static bool IsEnd(UpdateState state) => state is UpdateState.Committed or UpdateState.Rejected or UpdateState.RolledBack or UpdateState.Cancelled;

    /// <summary>The link <c>active</c> may name the new release.</summary>
    public static bool IsSwitched(UpdateState state) => state is UpdateState.Switching or UpdateState.Trial;
}
