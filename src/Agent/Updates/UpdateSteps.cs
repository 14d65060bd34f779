using Dunlin.Agent.Configuration;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Updates.Fetching;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;

namespace Dunlin.Agent.Updates;

/// <summary>How the action of a state ended.</summary>
internal sealed record StepEnd(UpdateEvent Event, string? Code = null, string? Detail = null)
{
    public static StepEnd Done { get; } = new(UpdateEvent.Done);

    public static StepEnd Failed(string code, string detail) => new(UpdateEvent.Failed, code, detail);
}

/// <summary>The action of each state. Every one may be done again: a restart begins with the state that the journal names.</summary>
internal sealed class UpdateSteps(UpdateParts parts, UpdateRecords records, TrustState trust, TrustedClock clock, UpdateOptions options, TimeProvider time)
{
    private const int SwitchAttempts = 3;
    private static readonly TimeSpan TrialLook = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan SwitchRetry = TimeSpan.FromSeconds(1);

    private IReadOnlyList<Vetted> _vetted = [];
    private Verdict? _verdict;

    /// <param name="state">Journalled already.</param>
    /// <param name="tell">Progress 0…1 and what happens, in a sentence.</param>
    /// <param name="cancellationToken">Broken off, to be done again or not at all.</param>
    public async Task<StepEnd> RunAsync(UpdateState state, Action<double?, string> tell, CancellationToken cancellationToken) => state switch
    {
        < UpdateState.Switching when trust.Problem is var (code, detail) => StepEnd.Failed(code, detail),
        UpdateState.Received => Receive(),
        UpdateState.Fetching => await FetchAsync(tell, cancellationToken),
        UpdateState.Fetched => Unpack(),
        UpdateState.Checked => await CheckAsync(cancellationToken),
        UpdateState.Raced => await RaceAsync(cancellationToken),
        UpdateState.Switching => Link(),
        UpdateState.Trial => await TryAsync(tell, cancellationToken),
        UpdateState.Committed => Commit(),
        UpdateState.RolledBack => await RollBackAsync(cancellationToken),
        UpdateState.Rejected or UpdateState.Cancelled => Settle(state),
        _ => throw new InvalidOperationException($"State '{state}' has no action."),
    };

    private Directive Directive => records.Directive ?? throw new InvalidOperationException("The journal has no directive that can be read.");

    private DsseEnvelope Envelope => records.Journal.Envelope ?? throw new InvalidOperationException("The journal has no directive.");

    private Digest Release => records.Journal.Release!.Value;

    private StepEnd Receive()
    {
        (_vetted, _verdict) = ([], null);
        // The floors rise after the directive is in the journal and before anything is done for it. One that repairs a release may be of a
        // key that was replaced since: its counter and time, run ahead perhaps, are forgotten and stay so.
        if (trust.StillSigned(Envelope).IsAccepted) trust.Raise(Directive);
        if (parts.Quarantine.Find(Release) is { } entry)
            return StepEnd.Failed(UpdateCodes.Quarantined, $"Release {Release} has failed on this board ({entry.Reason}: {entry.Detail}); push another release.");
        if (Release == parts.Releases.LastGood && Release == parts.Releases.Active && parts.Releases.Open(Release).IsComplete
            && parts.Releases.ObjectiveOf(Release) == Directive.Policy.Objective)
        {
            // It names the sources that a damaged file would be fetched from now.
            parts.Releases.KeepDirective(Release, Envelope);
            return new StepEnd(UpdateEvent.AlreadyRuns);
        }

        var interval = TimeSpan.FromSeconds(options.InstallIntervalSeconds);
        return records.CountInstalls(clock.Now, interval) >= options.MaximumInstalls
            ? StepEnd.Failed(UpdateCodes.InstallsLimited, $"This board has tried {options.MaximumInstalls} releases within {interval}, the most that Updates:MaximumInstalls allows; push again later.")
            : StepEnd.Done;
    }

    private async Task<StepEnd> FetchAsync(Action<double?, string> tell, CancellationToken cancellationToken)
    {
        if (await FetchAsync([Directive.Signature], "The release's signature is fetched.", tell, cancellationToken) is { IsSuccess: false } unsigned)
            return StepEnd.Failed(unsigned.Code!, unsigned.Detail!);
        var (failure, envelope, manifest) = ReadEnvelope();
        if (envelope is null || manifest is null) return failure!;
        var blobs = parts.Releases.BlobsOf(manifest);
        if (WhyIncompatible(manifest) is { } reasons)
            return StepEnd.Failed(UpdateCodes.Incompatible, $"This board can run no variant of '{manifest.Name} {manifest.Label}': {reasons} Build a variant for it.");
        DropAllBut([Directive.Signature, .. blobs]);
        var result = await FetchAsync(blobs, $"'{manifest.Name} {manifest.Label}' is fetched: {blobs.Count} files of {blobs.Sum(blob => blob.Size)} bytes.", tell, cancellationToken);
        return result.IsSuccess ? StepEnd.Done : StepEnd.Failed(result.Code!, result.Detail!);
    }

    private async Task<FetchResult> FetchAsync(IReadOnlyList<Blob> blobs, string what, Action<double?, string> tell, CancellationToken cancellationToken)
    {
        tell(0, what);
        Task<FetchResult> OnceAsync() =>
            parts.Fetch(blobs, Directive.Sources, progress => tell((double)progress.StoredByteCount / Math.Max(1, progress.TotalByteCount), progress.Problem ?? what), cancellationToken);
        var result = await OnceAsync();
        return result.Code == FetchCodes.NoSpace && DropAllBut([Directive.Signature, .. blobs]) ? await OnceAsync() : result;
    }

    private StepEnd Unpack()
    {
        var (failure, envelope, manifest) = ReadEnvelope();
        if (envelope is null || manifest is null) return failure!;
        parts.Releases.Write(Release, envelope, File.ReadAllBytes(parts.Blobs.Layout.Blob(Directive.Signature.Digest)), Envelope);
        var stored = parts.Releases.Open(Release);
        if (stored.IsComplete) return StepEnd.Done;
        // What does not hold now was lost by the disk: it is fetched again with the next directive.
        foreach (var blob in stored.Bad) parts.Blobs.Delete(blob.Digest);
        return StepEnd.Failed(UpdateCodes.Incomplete, $"Release {Release} is not whole on this disk: {stored.Problem} Push it again; if it stays so, replace the disk.");
    }

    private (StepEnd? Failure, DsseEnvelope? Envelope, Manifest? Manifest) ReadEnvelope()
    {
        var read = DsseEnvelope.Format.Read(File.ReadAllBytes(parts.Blobs.Layout.Blob(Directive.Signature.Digest)));
        if (!read.IsValid)
            return (StepEnd.Failed(UpdateCodes.OfRelease(Bundles.Trust.VerificationReason.Malformed), $"The release's signature is no envelope: {string.Join(" ", read.Errors)}"), null, null);
        var (result, manifest) = trust.JudgeRelease(read.Value, Release);
        return manifest is null ? (StepEnd.Failed(UpdateCodes.OfRelease(result.Reason), result.Detail), null, null) : (null, read.Value, manifest);
    }

    private string? WhyIncompatible(Manifest manifest) => manifest.Variants.Any(parts.Releases.IsWanted) ? null
        : string.Join(" ", manifest.Variants.Select(v => $"'{v.Id}' needs {string.Join(" or ", v.Requires.ExecutionProviders)}, {(v.Requires.CpuFeatures.Count == 0 ? "no CPU features" : string.Join(", ", v.Requires.CpuFeatures))} and {v.Requires.MemoryByteCount} bytes of memory."));

    private async Task<StepEnd> CheckAsync(CancellationToken cancellationToken)
    {
        if (Open(out var bundle) is { } failure) return failure;
        var end = await parts.Proof.CheckAsync(bundle, cancellationToken);
        _vetted = end.Passed;
        return end.Failure is { } failed ? StepEnd.Failed(failed.Code, failed.Detail) : StepEnd.Done;
    }

    private async Task<StepEnd> RaceAsync(CancellationToken cancellationToken)
    {
        if (Open(out var bundle) is { } failure) return failure;
        _verdict = await parts.Proof.RaceAsync(bundle, Directive.Policy.Objective, _vetted, cancellationToken);
        return _verdict.Winner is null ? StepEnd.Failed(UpdateCodes.NoWinner, $"No variant of the release fits this board. {_verdict.Reason}") : StepEnd.Done;
    }

    private StepEnd? Open(out Bundle bundle)
    {
        var stored = parts.Releases.Open(Release);
        bundle = stored.Bundle!;
        return stored.IsComplete ? null : StepEnd.Failed(UpdateCodes.Incomplete, $"Release {Release} is not whole on this disk: {stored.Problem} Push it again.");
    }

    private StepEnd Link()
    {
        parts.Releases.Activate(Release);
        return StepEnd.Done;
    }

    private async Task<StepEnd> TryAsync(Action<double?, string> tell, CancellationToken cancellationToken)
    {
        var (release, problem) = parts.Gate.OpenInstalled(Release);
        if (release is null) return StepEnd.Failed(UpdateCodes.TrialInvalid, problem!);
        try
        {
            _verdict ??= parts.Proof.FindVerdict(release.Bundle, Directive.Policy.Objective);
            parts.Trial.Begin(RulesOf());
            if (await parts.Switch(release, _verdict, cancellationToken) is { } refused) return RefusedBy(refused);
            parts.Trial.Begin(RulesOf());
            var empty = 0;
            while (true)
            {
                var state = parts.Trial.Look();
                if (state.Code is { } code) return StepEnd.Failed(code, state.Detail);
                if (state.IsPassed) return StepEnd.Done;
                if (state.EmptyWindows > empty)
                {
                    empty = state.EmptyWindows;
                    records.Write(records.Journal with { EmptyWindows = records.Journal.EmptyWindows + 1 });
                    if (records.Journal.EmptyWindows >= UpdateTable.MaximumEmptyWindows)
                        return StepEnd.Failed(UpdateCodes.TrialNoFrames, $"{records.Journal.EmptyWindows} times as long as the camera should need for enough frames, there were not enough to judge the release by: {state.Detail} {RemedyOf(state)}");
                }

                tell(state.Progress, $"On trial: {state.Detail}");
                await Task.Delay(TrialLook, time, cancellationToken);
            }
        }
        finally
        {
            parts.Trial.End();
        }
    }

    private string RemedyOf(TrialState state) => state.CapturedCount < RulesOf().MinimumRuns
        ? "Look after the camera, then push again."
        : $"The camera gave {state.CapturedCount} frames, which the release does not keep up with; build a lighter variant, or lower Updates:MinimumRuns and push again.";

    // What the board was short of, or a person did, says nothing of the release: it may be tried again.
    private static StepEnd RefusedBy(UpdateFailure refused) =>
        StepEnd.Failed(Vetting.IsOfTheModel(refused.Code) ? UpdateCodes.SwitchFailed : refused.Code, refused.Detail);

    /// <summary>The directive may only be stricter than the device.</summary>
    private TrialRules RulesOf() => new()
    {
        Release = Release,
        Window = TimeSpan.FromSeconds(Math.Max(options.TrialSeconds, Directive.Policy.TrialSeconds)),
        MinimumRuns = Math.Max(options.MinimumRuns, Directive.Policy.MinimumRuns),
        MaximumP95Milliseconds = Directive.Policy.MaximumP95Milliseconds,
        PromisedP95Milliseconds = _verdict?.Contenders.FirstOrDefault(c => c.Contender == _verdict.Winner)?.LatencyMilliseconds?.P95,
    };

    private StepEnd Commit()
    {
        parts.Releases.SetLastGood(Release);
        // A root that was lost in the trial leaves no floors to raise: the release serves, and nothing is installed until the device is enrolled again.
        if (trust.Problem is null && parts.Releases.Open(Release).Bundle is { } bundle) trust.RaiseEpoch(bundle.Manifest.SecurityEpoch);
        return Settle(UpdateState.Committed);
    }

    private async Task<StepEnd> RollBackAsync(CancellationToken cancellationToken)
    {
        var lastGood = parts.Releases.LastGood;
        if (parts.Releases.Active != lastGood) parts.Releases.Activate(lastGood);
        // The link is right again, whatever the start had to do without it.
        parts.Gate.Instead = default;
        var (release, _) = parts.Gate.Open();
        for (var attempt = 1; await parts.Switch(release, null, cancellationToken) is not null && attempt < SwitchAttempts; attempt++)
            await Task.Delay(SwitchRetry, time, cancellationToken);
        var (code, detail) = (records.Journal.Reason ?? UpdateCodes.Fault, records.Journal.Detail ?? "");
        if (IsOfTheRelease(code) && Release != lastGood) parts.Quarantine.Add(Release, code, detail, clock.Now);
        return Settle(UpdateState.RolledBack);
    }

    // What a person, the camera or the disk did says nothing of the release.
    private static bool IsOfTheRelease(string code) =>
        code is UpdateCodes.TrialCrashed or UpdateCodes.TrialNotFinite or UpdateCodes.TrialSlow or UpdateCodes.TrialSilent or UpdateCodes.TrialRestarts or UpdateCodes.SwitchFailed;

    private StepEnd Settle(UpdateState result)
    {
        var journal = records.Journal;
        records.Settle(journal.Directive!.Value, Release, result, result == UpdateState.Committed ? null : journal.Reason ?? UpdateCodes.Fault, journal.Detail, clock.Now);
        // A newer directive may need what was fetched for this one.
        return result == UpdateState.Cancelled ? StepEnd.Done : StepEnd.Done with { Detail = TryCollect(MayGoOn(journal.Reason)) };
    }

    // A board that is cut off again and again has fetched a part more each time.
    private static bool MayGoOn(string? reason) => FetchCodes.MayPass(reason) || reason == UpdateCodes.TooManyTransitions;

    /// <summary>Removes what neither <c>active</c> nor <c>last-good</c> needs. No update waits for it: the next one tries again.</summary>
    /// <returns>What could not be removed; null: nothing is left.</returns>
    private string? TryCollect(bool isFetchedKept)
    {
        try
        {
            Collect(isFetchedKept);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"What no release needs could not be removed from '{parts.Blobs.Layout.Root}': {e.Message} It is tried again after the next update; look at the file, and at the disk.";
        }
    }

    private void Collect(bool isFetchedKept)
    {
        var kept = parts.Releases.Kept;
        parts.Releases.KeepOnly(kept);
        // The same release, pushed again, goes on from it; the fetch of another one removes it.
        if (!isFetchedKept) Drop(kept, []);
        parts.Proof.CollectCache(kept);
        parts.Blobs.MakeReserve();
    }

    /// <summary>Removes what updates before this one have left, so that it need not lack room for it.</summary>
    /// <returns>Whether there was something.</returns>
    private bool DropAllBut(IEnumerable<Blob> needed)
    {
        try
        {
            return Drop(parts.Releases.Kept, needed.Select(blob => blob.Digest));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Where it matters, the fetch itself will say so.
            return false;
        }
    }

    private bool Drop(IReadOnlySet<Digest> kept, IEnumerable<Digest> needed)
    {
        var stays = parts.Releases.BlobsOf(kept).Union(needed).ToHashSet();
        var blobs = parts.Blobs.List().Where(blob => !stays.Contains(blob)).ToList();
        foreach (var blob in blobs) parts.Blobs.Delete(blob);
        var partials = parts.Blobs.ListPartial().Where(partial => !stays.Contains(partial)).ToList();
        foreach (var partial in partials) parts.Blobs.DropPartial(partial);
        return blobs.Count + partials.Count > 0;
    }
}
