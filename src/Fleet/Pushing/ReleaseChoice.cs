using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Ledgers;

namespace Dunlin.Fleet.Pushing;

/// <summary>Finds the release that a person names: a bundle's folder, or an id or label that the ledger knows.</summary>
internal static class ReleaseChoice
{
    /// <returns>The release, in the ledger by then, and its bundle if a folder was named.</returns>
    /// <exception cref="FleetException">There is none, there are several, or its signatures are not enough for the root.</exception>
    public static (KnownRelease Release, Bundle? Bundle) Find(string text, Ledger ledger, Root root, DateTimeOffset now)
    {
        if (!Directory.Exists(text)) return (FindKnown(text, ledger), null);
        var bundle = Bundle.Open(text);
        RequireSigned(bundle, root);
        var release = KnownRelease.Of(bundle);
        ledger.Add(release, now);
        return (ledger.Release(release.Id)!, bundle);
    }

    public static KnownRelease FindKnown(string text, Ledger ledger)
    {
        var found = ledger.FindReleases(text);
        return found.Count switch
        {
            1 => found[0],
            0 => throw new FleetException(ExitCodes.InputMissing, $"'{text}' is neither a bundle's folder nor a release that was published or pushed from here; name one of them."),
            _ => throw new FleetException(ExitCodes.InputMissing, $"'{text}' may be {string.Join(" or ", found.Select(release => $"'{release.Title}' ({Short(release.Id)})"))}; name more of the id."),
        };
    }

    /// <exception cref="FleetException">Devices under this root would refuse it.</exception>
    public static void RequireSigned(Bundle bundle, Root root)
    {
        if (bundle.Signature is not { } signature)
            throw new FleetException(ExitCodes.BelowThreshold, $"The bundle '{bundle.Path}' is unsigned, and devices refuse such; sign it with 'dunlin-fleet sign'.");
        if (EnvelopeVerifier.Verify(signature, SigningRole.Release, root) is { IsAccepted: false } refused)
            throw new FleetException(ExitCodes.BelowThreshold, $"Devices would refuse the bundle '{bundle.Path}': {refused.Detail}");
    }

    public static string Short(Digest digest) => digest.Hex[..12] + "…";
}
