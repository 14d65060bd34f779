using System.Security.Cryptography;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;

namespace Dunlin.TestKit.State;

/// <summary>
/// The invariants I1–I6 of an update (docs/promises.md), checked over the files of a state directory whose agent does
/// not run: after a kill or a power cut and before anything is recovered. What the broker was told is the caller's to check.
/// </summary>
public static class StateInvariants
{
    /// <summary>The detail of an outcome that was sent again for whoever asked again.</summary>
    public const string Repetition = "This directive was carried out before.";

    /// <param name="folder">The state directory.</param>
    /// <param name="before">Floors that were reached before; they must not have fallen.</param>
    /// <returns>What is broken, each in a sentence; empty when all hold.</returns>
    public static IReadOnlyList<string> Check(string folder, Floors? before = null)
    {
        var layout = new StateLayout(folder);
        var broken = new List<string>();
        var journal = Either("I4: the journal", layout.Journal, bytes => Journal.Format.Read(bytes).Value, broken);
        var seen = File.Exists(layout.Seen) ? Seen.Format.Read(File.ReadAllBytes(layout.Seen)).Value : null;
        if (File.Exists(layout.Seen) && seen is null) broken.Add("I6: the record of seen directives is damaged.");
        Outcomes(folder, seen, broken);
        var hasCommitted = seen?.Directives.Values.Any(directive => directive.Result == UpdateState.Committed) == true;
        Link("I1", layout, layout.Active, isNeeded: hasCommitted, broken);
        Link("I2", layout, layout.LastGood, isNeeded: hasCommitted || (journal is { State: UpdateState.Trial or UpdateState.Switching, Previous: not null }), broken);
        var floors = FloorsOf(layout, broken);
        if (before is not null && (floors is null || (floors.RootVersion == before.RootVersion && (floors.Counter < before.Counter || floors.SecurityEpoch < before.SecurityEpoch || floors.Time < before.Time))))
            broken.Add($"I3: the floors fell from counter {before.Counter}, epoch {before.SecurityEpoch} to {floors?.Counter}, {floors?.SecurityEpoch}.");
        return broken;
    }

    /// <summary>The outcomes of a directive on the disk, but for repetitions for whoever asked again.</summary>
    public static IReadOnlyList<StoredOutcome> OutcomesOf(string folder, Digest directive) =>
        [.. OutboxFiles.Read(folder).Where(stored => stored.Outcome.Directive == directive && stored.Outcome.Detail != Repetition)];

    /// <summary>The floors or their backup; null if there are none.</summary>
    public static Floors? FloorsOf(string folder) => FloorsOf(new StateLayout(folder), []);

    /// <summary>How a directive ended by <c>state/seen.json</c>; null if it did not.</summary>
    public static UpdateState? EndOf(string folder, Digest directive)
    {
        var path = new StateLayout(folder).Seen;
        return File.Exists(path) && Seen.Format.Read(File.ReadAllBytes(path)).Value?.Directives.TryGetValue(directive, out var end) == true ? end!.Result : null;
    }

    /// <summary>The release that a link of the state directory names; null if it names none.</summary>
    public static Digest? ReleaseOf(string link) =>
        new FileInfo(link).LinkTarget is { } target && Digest.TryParse("sha256:" + Path.GetFileName(target), out var id) && target == StateLayout.ReleaseLink(id) ? id : null;

    private static Floors? FloorsOf(StateLayout layout, List<string> broken) => Either("I3: the floors", layout.Floors, bytes => Floors.Format.Read(bytes).Value, broken);

    /// <summary>A directive that is remembered as ended has one outcome, and one that is not has at most one: the agent died before it remembered.</summary>
    private static void Outcomes(string folder, Seen? seen, List<string> broken)
    {
        var counts = OutboxFiles.Read(folder).Where(stored => stored.Outcome.Detail != Repetition).CountBy(stored => stored.Outcome.Directive).ToDictionary();
        foreach (var directive in (seen?.Directives.Keys ?? []).Where(directive => !counts.ContainsKey(directive))) broken.Add($"I6: directive {directive} has ended and has no outcome.");
        foreach (var (directive, count) in counts.Where(entry => entry.Value > 1)) broken.Add($"I6: directive {directive} has {count} outcomes.");
    }

    /// <summary>The file, else its backup.</summary>
    private static T? Either<T>(string what, string path, Func<byte[], T?> read, List<string> broken)
        where T : class
    {
        string[] files = [.. new[] { path, StateLayout.Backup(path) }.Where(File.Exists)];
        var value = files.Select(file => read(File.ReadAllBytes(file))).FirstOrDefault(found => found is not null);
        if (value is null && files.Length > 0) broken.Add($"{what} and its backup are damaged.");
        return value;
    }

    private static void Link(string invariant, StateLayout layout, string link, bool isNeeded, List<string> broken)
    {
        var name = Path.GetFileName(link);
        if (new FileInfo(link).LinkTarget is null)
        {
            if (isNeeded) broken.Add($"{invariant}: '{name}' is missing.");
            if (Path.Exists(link)) broken.Add($"{invariant}: '{name}' is no link.");
            return;
        }

        if (ReleaseOf(link) is not { } id) broken.Add($"{invariant}: '{name}' names no release: {new FileInfo(link).LinkTarget}.");
        else Release(invariant, name, layout, id, broken);
    }

    private static void Release(string invariant, string name, StateLayout layout, Digest id, List<string> broken)
    {
        var path = layout.ReleaseManifest(id);
        if (!File.Exists(path) || Digest.Of(File.ReadAllBytes(path)) != id)
        {
            broken.Add($"{invariant}: the manifest of '{name}' is missing or damaged.");
            return;
        }

        if (Manifest.Format.Read(File.ReadAllBytes(path)).Value is not { } manifest) broken.Add($"{invariant}: the manifest of '{name}' breaks its rules.");
        else
        {
            if (!File.Exists(layout.ReleaseSignature(id)) || DsseEnvelope.Format.Read(File.ReadAllBytes(layout.ReleaseSignature(id))).Value is null)
                broken.Add($"{invariant}: the signature of '{name}' is missing or damaged.");
            foreach (var blob in (Blob[])[manifest.Labels, manifest.Golden.Blob])
                if (!IsWhole(layout, blob)) broken.Add($"{invariant}: blob {blob.Digest} of '{name}' is missing or damaged.");
            if (!manifest.Variants.Any(variant => IsWhole(layout, variant.Blob))) broken.Add($"{invariant}: no variant of '{name}' is there.");
            foreach (var variant in manifest.Variants)
                if (File.Exists(layout.Blob(variant.Blob.Digest)) && !IsWhole(layout, variant.Blob)) broken.Add($"{invariant}: blob {variant.Blob.Digest} of '{name}' is damaged.");
        }

        foreach (var file in Directory.EnumerateFiles(layout.Release(id)).Concat(Directory.EnumerateFiles(layout.Blobs)))
            if (new FileInfo(file).LinkTarget is not null) broken.Add($"I5: '{file}' is a link.");
    }

    private static bool IsWhole(StateLayout layout, Blob blob)
    {
        var file = layout.Blob(blob.Digest);
        if (!File.Exists(file) || new FileInfo(file).Length != blob.Size) return false;
        using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream)) == blob.Digest.Hex;
    }
}
