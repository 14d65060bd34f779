using Dunlin.Agent.Reporting;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Updates;

namespace Dunlin.Agent.Updates;

/// <summary>What a person sees of updates: the state with a sentence, progress, and what keeps this device from being updated.</summary>
internal sealed class UpdateStory(UpdateRecords records, TrustState trust, FreezeWatch freeze, StateLayout layout, DeviceReport report, TimeProvider time)
{
    private static readonly TimeSpan TellInterval = TimeSpan.FromSeconds(1);

    private long _toldAt;

    /// <summary>How the update under way, or the last one, stands.</summary>
    public void Tell(UpdateState state, string? code, string? detail, double? progress = null) =>
        Tell(new ReportedUpdate(state, records.Journal.Directive, records.Journal.Release, code) { Detail = detail, Progress = progress });

    /// <summary>Of a directive that is not under way.</summary>
    public void Tell(ReportedUpdate update) =>
        report.SetUpdate(update with { RootVersion = trust.Root?.Version, Counter = trust.Floors?.Counter });

    public void TellBegun(UpdateState state) => Tell(state, null, SentenceOf(state));

    /// <summary>At most once a second; from any thread.</summary>
    public void TellProgress(UpdateState state, double? progress, string detail)
    {
        if (state != records.Journal.State) return;
        if (_toldAt != 0 && time.GetElapsedTime(Volatile.Read(ref _toldAt)) < TellInterval) return;
        Volatile.Write(ref _toldAt, time.GetTimestamp());
        Tell(state, null, detail, progress);
    }

    /// <summary>What may have changed by itself: time has passed, or the disk was mounted otherwise.</summary>
    public void Watch()
    {
        report.SetCondition(UpdateCondition.Stale, trust.IsStale);
        report.SetProblem("fresh", trust.IsStale
            ? $"STALE: the last fresh document has expired at {trust.FreshUntil:u}, so this device may be cut off from newer directives and installs nothing; see that 'dunlin-fleet serve' runs and that the broker lets its messages through."
            : null);
        freeze.Look();
        var isReadOnly = StateAccess.IsReadOnly(layout.Root);
        report.SetCondition(UpdateCondition.ReadOnly, isReadOnly);
        report.SetProblem("disk", isReadOnly
            ? $"READ_ONLY: '{layout.Root}' takes no writes; what runs goes on, and nothing is installed. Look at the kernel's log for errors of the disk, and mount it again."
            : null);
    }

    private static string SentenceOf(UpdateState state) => state switch
    {
        UpdateState.Received => "The directive is accepted.",
        UpdateState.Fetching => "The release is fetched.",
        UpdateState.Fetched => "All files are here.",
        UpdateState.Checked => "The models are checked on this board.",
        UpdateState.Raced => "The variants race on this board.",
        UpdateState.Switching => "The release becomes the active one.",
        UpdateState.Trial => "The release serves on trial.",
        UpdateState.Committed => "The release is committed.",
        UpdateState.Idle => "There is no update.",
        _ => "The update has ended.",
    };
}
