using Dunlin.Agent.Children;
using Dunlin.Agent.Heats;
using Dunlin.Agent.Serving;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Agent.Racing;

/// <summary>A variant that loaded, was saved for this CPU, and passed its golden check here; or why it did not.</summary>
/// <param name="Variant">Of the manifest.</param>
/// <param name="Session">Loads the saved form on one thread; null if the variant failed.</param>
/// <param name="Golden">If it came that far.</param>
/// <param name="Code"><c>ok</c>, or why it failed.</param>
/// <param name="Reason">The same in a sentence.</param>
internal sealed record Vetted(Variant Variant, SessionSpec? Session, GoldenResult? Golden, string Code, string Reason);

/// <summary>Loads, saves and checks variants in heat processes; a failure is quarantined for this ONNX Runtime.</summary>
internal sealed class Vetting(HeatRunner heats, ModelCache cache, Quarantined quarantine, BoardFacts board, TimeProvider time) : IDisposable
{
    // A heat's process needs this beside the model: the runtime, its threads' stacks, its code.
    private const long ProcessByteCount = 192L * 1024 * 1024;
    private const int GoldenLimitPerLoad = 4;

    // Taken for the slowest board: one in four cycles of 1 GHz.
    private const double SlowestMacsPerSecond = 250e6;

    // Saved as this CPU likes it, a model may be padded.
    private const int SavedSizePerSize = 2;

    /// <summary>What a static check may use: it reads through one buffer and remembers names. Its own time is short; a slow disk, or a board that does other things, may take longer.</summary>
    public static readonly HeatLimits CheckLimits = new() { WallTime = TimeSpan.FromMinutes(1), CpuTime = TimeSpan.FromSeconds(8), MemoryByteCount = 256L * 1024 * 1024, FileByteCount = 0 };

    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(5), LongestGoldenTime = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <param name="bundle">The release.</param>
    /// <param name="variant">One of its variants.</param>
    /// <param name="provider">ONNX Runtime's name.</param>
    /// <param name="cancellationToken">Ends the heat under way.</param>
    public async Task<Vetted> VetAsync(Bundle bundle, Variant variant, string provider, CancellationToken cancellationToken)
    {
        // One at a time: serving and an update may want the same saved model.
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await VetInTurnAsync(bundle, variant, provider, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<Vetted> VetInTurnAsync(Bundle bundle, Variant variant, string provider, CancellationToken cancellationToken)
    {
        var spec = SpecOf(bundle, variant, new ContenderId(variant.Id, provider, 1));
        var key = KeyOf(variant, provider);
        // All of it is hashed, which whoever waits for this must not do in its loop.
        var saved = await Task.Run(() => cache.Find(key, spec), cancellationToken);
        if (saved is null)
        {
            var walked = await heats.RunAsync(CheckOf(bundle, variant), CheckLimits, cancellationToken);
            if (walked.Answer is not ModelChecked) return Fail(bundle, variant, null, walked.Code, $"Variant '{variant.Id}' did not pass the static check: {walked.Reason}");

            (saved, var failed) = await SaveAsync(bundle, variant, key, spec, cancellationToken);
            if (saved is null) return failed!;
        }

        var outcome = await heats.RunAsync(
            new Golden { Session = saved, GoldenPath = bundle.GoldenPath, Floors = variant.Floors },
            GoldenLimitsOf(variant, bundle.Manifest.Golden.SampleCount), cancellationToken);
        if (outcome.Answer is not GoldenVerdict { Result: var golden })
            return Fail(bundle, variant, null, outcome.Code, $"Variant '{variant.Id}' broke down in its golden check: {outcome.Reason}");
        return golden.Passed
            ? new Vetted(variant, saved, golden, HeatOutcome.Answered, "It passed its golden check.")
            : Fail(bundle, variant, golden, "golden.failed", VerdictAssembly.GoldenFailure(variant, golden));
    }

    /// <returns>The saved form, or why there is none. However it ends, nothing half-made is left.</returns>
    private async Task<(SessionSpec? Saved, Vetted? Failed)> SaveAsync(Bundle bundle, Variant variant, Contracts.Artifacts.Digest key, SessionSpec spec, CancellationToken cancellationToken)
    {
        string? begun = null;
        try
        {
            begun = cache.Begin();
            var prepared = await heats.RunAsync(new Prepare { Session = spec, OutputDirectory = begun }, LimitsOf(variant), cancellationToken);
            return prepared.Answer is Prepared
                ? (cache.Commit(key, begun, spec), null)
                : (null, Fail(bundle, variant, null, prepared.Code, $"Variant '{variant.Id}' could not be loaded: {prepared.Reason}"));
        }
        catch (InvalidDataException e)
        {
            return (null, Fail(bundle, variant, null, "model.save", $"Variant '{variant.Id}' was not saved as it must be: {e.Message}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, Unwritable(variant, e));
        }
        finally
        {
            if (begun is not null) ModelCache.Abandon(begun);
        }
    }

    /// <summary>The saved form of a contender that was vetted before, or null if it has to be vetted again.</summary>
    public SessionSpec? FindSaved(Bundle bundle, Variant variant, ContenderId contender) =>
        cache.Find(KeyOf(variant, contender.ExecutionProvider), SpecOf(bundle, variant, contender));

    public void Dispose() => _turn.Dispose();

    /// <summary>Names of the saved models of these variants in the cache.</summary>
    public IReadOnlySet<Contracts.Artifacts.Digest> KeysOf(IEnumerable<Variant> variants) =>
        variants.SelectMany(variant => variant.Requires.ExecutionProviders.Select(provider => KeyOf(variant, provider))).ToHashSet();

    private Contracts.Artifacts.Digest KeyOf(Variant variant, string provider) =>
        SavedModelKey.Compute(variant.Blob.Digest, OnnxRuntime.Version, board.CpuFlags, provider);

    // A full disk says nothing of the model, so nothing is quarantined.
    private static Vetted Unwritable(Variant variant, Exception e) =>
        new(variant, null, null, SaveRoom.Missing, $"Variant '{variant.Id}' could not be saved: {e.Message} Make room in the state directory.");

    private Vetted Fail(Bundle bundle, Variant variant, GoldenResult? golden, string code, string reason)
    {
        if (IsOfTheModel(code)) quarantine.Add(bundle.ReleaseId, variant, code, reason, time.GetUtcNow());
        return new Vetted(variant, null, golden, code, reason);
    }

    /// <summary>Whether a failure is held against the model: what the board was short of, or what a person stopped, says nothing of it.</summary>
    public static bool IsOfTheModel(string code) =>
        code is not (ChildExitCodes.NotStarted or ChildExitCodes.Stopped or ChildExitCodes.Killed or ChildExitCodes.Starved or SaveRoom.Missing or Contenders.NoMemory or Contenders.NoFile);

    /// <summary>The static check of this variant, which comes before anything loads it.</summary>
    public static CheckModel CheckOf(Bundle bundle, Variant variant) => new()
    {
        ModelPath = bundle.PathOf(variant),
        ByteCount = variant.Blob.Size,
        Operators = variant.Operators,
        Input = bundle.Manifest.Input,
        Output = bundle.Manifest.Output,
        ClassCount = bundle.Labels.Count,
    };

    /// <summary>What a heat of this variant may use.</summary>
    public static HeatLimits LimitsOf(Variant variant) => new()
    {
        WallTime = StartTime + TimeSpan.FromMilliseconds(variant.Limits.LoadMilliseconds),
        MemoryByteCount = ProcessByteCount + variant.Limits.MemoryByteCount,
        FileByteCount = Math.Max(new HeatLimits().FileByteCount, SavedSizePerSize * variant.Blob.Size),
    };

    /// <summary>What a worker with this variant needs.</summary>
    public static SessionNeeds NeedsOf(Variant variant) => new(variant.Limits.MemoryByteCount, LimitsOf(variant).WallTime, LongestRun(variant));

    /// <summary>What its golden check may use: so long that a slow board ends it, since a model that is slow is not yet one that hangs.</summary>
    public static HeatLimits GoldenLimitsOf(Variant variant, int sampleCount)
    {
        var load = LimitsOf(variant);
        var work = TimeSpan.FromSeconds(Math.Min(LongestGoldenTime.TotalSeconds, sampleCount * LongestRun(variant).TotalSeconds));
        return load with { WallTime = (GoldenLimitPerLoad * load.WallTime) + work };
    }

    /// <summary>One inference on the slowest board.</summary>
    public static TimeSpan LongestRun(Variant variant) => TimeSpan.FromSeconds(Math.Min(variant.Macs / SlowestMacsPerSecond, LongestGoldenTime.TotalSeconds));

    public static SessionSpec SpecOf(Bundle bundle, Variant variant, ContenderId contender) => new()
    {
        ModelPath = bundle.PathOf(variant),
        Saved = false,
        Release = bundle.ReleaseId,
        Contender = contender,
        Input = bundle.Manifest.Input,
        Output = bundle.Manifest.Output,
        Labels = bundle.Labels,
    };
}
