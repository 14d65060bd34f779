using Dunlin.Agent.Configuration;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Serving;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Updates;
using Dunlin.Runtime.Racing;

namespace Dunlin.Agent.Updates;

/// <summary>Models are checked and raced in heat processes, beside what runs.</summary>
internal sealed class BoardProof(Race race, Vetting vetting, VerdictStore verdicts, ModelCache cache, StateLayout layout, DeviceOptions device) : IReleaseProof
{
    /// <summary>Codes of the static check. A variant that fails its golden set here leaves; one that is not what its manifest says condemns the release.</summary>
    private const string StaticCheck = "check.";

    public async Task<CheckEnd> CheckAsync(Bundle bundle, CancellationToken cancellationToken)
    {
        List<Vetted> passed = [];
        Vetted? failed = null;
        List<string> reasons = [];
        foreach (var entry in race.Enumerate(bundle, null).GroupBy(contender => (contender.Variant.Id, contender.Id.ExecutionProvider)))
        {
            if (entry.First().Blocked is { } blocked)
            {
                reasons.Add(blocked.Reason);
                continue;
            }

            var vetted = await vetting.VetAsync(bundle, entry.First().Variant, entry.Key.ExecutionProvider, cancellationToken);
            if (vetted.Code.StartsWith(StaticCheck, StringComparison.Ordinal)) return new CheckEnd([], new UpdateFailure(vetted.Code, vetted.Reason));
            if (vetted.Session is not null)
            {
                passed.Add(vetted);
                continue;
            }

            failed ??= vetted;
            reasons.Add(vetted.Reason);
        }

        return passed.Count > 0 ? new CheckEnd(passed, null)
            : new CheckEnd([], new UpdateFailure(failed?.Code ?? UpdateCodes.NoVariantPassed, string.Join(" ", reasons)));
    }

    public async Task<Verdict> RaceAsync(Bundle bundle, Objective? objective, IReadOnlyList<Vetted> vetted, CancellationToken cancellationToken)
    {
        var verdict = await race.RunAsync(new RaceRequest(bundle, race.Enumerate(bundle, null), objective) { Known = vetted }, cancellationToken);
        return verdicts.Keep(verdict, race.ConditionsOf(bundle, race.Enumerate(bundle, null), objective));
    }

    public Verdict? FindVerdict(Bundle bundle, Objective? objective) => verdicts.Find(race.ConditionsOf(bundle, race.Enumerate(bundle, null), objective));

    public void CollectCache(IReadOnlySet<Digest> releases)
    {
        List<Variant> kept = [];
        foreach (var id in releases)
            if (File.Exists(layout.ReleaseManifest(id)) && Manifest.Format.Read(File.ReadAllBytes(layout.ReleaseManifest(id))).Value is { } manifest) kept.AddRange(manifest.Variants);
        try
        {
            if (device.Bundle.Length > 0) kept.AddRange(Bundle.Open(device.Bundle, BundleCheck.ManifestOnly).Manifest.Variants);
        }
        catch (Exception e) when (e is BundleException or IOException or UnauthorizedAccessException)
        {
            // Without it nothing of it is worth keeping either.
        }

        cache.KeepOnly(vetting.KeysOf(kept));
    }
}
