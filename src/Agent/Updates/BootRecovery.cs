using Dunlin.Agent.Serving;
using Dunlin.Bundles.Durability;
using Dunlin.Bundles.Store;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Updates;

/// <summary>
/// What must be decided before anything is loaded: which release the journal lets serve. Writes the journal before it acts on
/// it; where the disk takes no writes, the last good release serves and nothing is on trial.
/// </summary>
internal sealed partial class BootRecovery(UpdateRecords records, ReleaseStore releases, BlobStore blobs, ModelCache cache, ReleaseGate gate, TrustState trust, ILogger<BootRecovery> logger)
{
    /// <summary>Why the trial in the journal must end at once; null if it may go on.</summary>
    public UpdateFailure? Abandoned { get; private set; }

    /// <summary>Network, broker and engine are not there yet, and need not be.</summary>
    public void Run()
    {
        foreach (var problem in records.Load()) LogDamaged(problem);
        trust.Load();
        try
        {
            RemoveTemporaryFiles();
            cache.Recover();
            blobs.Recover();
            blobs.MakeReserve();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotTidied(e.Message);
        }

        try
        {
            DecideWithRoom();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var (code, detail) = UpdateFailure.Of(e);
            Abandoned = new UpdateFailure(code, $"The start of a trial could not be written down, so it was not made: {detail}");
            gate.Instead = (true, releases.LastGood);
            LogAbandoned(Abandoned.Detail);
        }
    }

    /// <summary>The journal needs its room for a moment only, so that the reserve is there again for a roll-back.</summary>
    private void DecideWithRoom()
    {
        try
        {
            Decide();
        }
        catch (IOException e) when (BlobStore.IsOutOfSpace(e))
        {
            blobs.FreeReserve();
            Decide();
            blobs.MakeReserve();
        }
    }

    private void Decide()
    {
        var journal = records.Journal;
        if (UpdateTable.IsSwitched(journal.State) && !BeginTry(journal)) RollBack();
        // A roll-back that was journalled and not done, or a journal that was lost: only a trial or a commit may serve another release than the committed one.
        if (UpdateTable.IsSwitched(records.Journal.State) || records.Journal.State == UpdateState.Committed || releases.Active == releases.LastGood) return;
        LogFallback(releases.Active, releases.LastGood);
        RollBack();
    }

    /// <summary>Counts the start, then links, so that the release is tried at most so often.</summary>
    private bool BeginTry(Journal journal)
    {
        var release = journal.Release!.Value;
        var tries = journal.State == UpdateState.Switching ? 1 : journal.Tries + 1;
        var stored = releases.Open(release);
        UpdateFailure? failure =
            tries > UpdateTable.MaximumTries
                ? new(UpdateCodes.TrialRestarts, $"The agent was started {journal.Tries} times in the trial without its end; look at the log before the restarts.")
            : !stored.IsComplete
                ? new(UpdateCodes.TrialInvalid, $"The release on trial is damaged on the disk: {stored.Problem} Push it again.")
            : journal.Transitions >= UpdateTable.MaximumTransitions
                ? new(UpdateCodes.TooManyTransitions, $"After {journal.Transitions} transitions it had not ended; look at the log for what was done again and again.")
            : null;
        if (failure is not null)
        {
            LogRolledBack(release, failure.Code, failure.Detail);
            records.Write(journal with { State = UpdateState.RolledBack, Transitions = journal.Transitions + 1, Reason = failure.Code, Detail = failure.Detail });
            return false;
        }

        if (journal.State == UpdateState.Switching && releases.Active != release) releases.Activate(release);
        records.Write(journal with { State = UpdateState.Trial, Tries = tries, Transitions = journal.Transitions + 1 });
        LogTry(release, tries);
        return true;
    }

    private void RollBack()
    {
        if (releases.Active != releases.LastGood) releases.Activate(releases.LastGood);
    }

    private void RemoveTemporaryFiles()
    {
        var layout = blobs.Layout;
        string[] folders = [layout.Root, Path.GetDirectoryName(layout.TrustRoot)!, Path.GetDirectoryName(layout.Journal)!, layout.Verdicts, layout.Releases];
        foreach (var folder in folders.Where(Directory.Exists))
        {
            var depth = folder == layout.Releases ? SearchOption.AllDirectories : SearchOption.TopDirectoryOnly;
            foreach (var left in Directory.EnumerateFiles(folder, $".*{DurableFile.TemporarySuffix}", depth).ToList()) File.Delete(left);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Record of updates damaged: {Problem}")]
    private partial void LogDamaged(string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "State directory not tidied: {Why}")]
    private partial void LogNotTidied(string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "Last good release serves: {Why}")]
    private partial void LogAbandoned(string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Release {Active} is active without a trial or a commit; {LastGood} serves")]
    private partial void LogFallback(Digest? active, Digest? lastGood);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Release {Release} rolled back at start, {Code}: {Detail}")]
    private partial void LogRolledBack(Digest release, string code, string detail);

    [LoggerMessage(Level = LogLevel.Information, Message = "Release {Release} on trial, start {Tries}")]
    private partial void LogTry(Digest release, int tries);
}
