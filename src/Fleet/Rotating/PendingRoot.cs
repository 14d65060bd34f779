using Dunlin.Bundles.Durability;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Signing;
using Dunlin.Telemetry.Link;

namespace Dunlin.Fleet.Rotating;

/// <summary>
/// The next root while it collects signatures, as <c>next-root.json</c> beside the present one: key holders sign it one
/// after the other, each where the own key is. With both thresholds it becomes the root.
/// </summary>
internal sealed class PendingRoot(KeyFolder folder)
{
    private const string FileName = "next-root.json";
    private readonly string _path = Path.Combine(folder.Path, FileName);

    public bool Exists => File.Exists(_path);

    /// <summary>Deletes a draft of a root that is in force by now, since its last signatures were added in another copy of the folder.</summary>
    /// <returns>A sentence about it; null: there was none.</returns>
    public string? DropOvertaken()
    {
        if (!Exists) return null;
        var (_, next) = Read();
        if (next.Version > folder.Root.Version) return null;
        DurableFile.Delete(_path);
        return $"'{_path}' was a draft of root {next.Version}, and root {folder.Root.Version} is in force here; it is deleted.";
    }

    /// <summary>Makes the new keys, and drafts the root; nothing else changes yet.</summary>
    /// <param name="change">What it changes.</param>
    /// <param name="passphrase">For keys that need one: offline keys if it is given, and any that replace such.</param>
    /// <param name="isProtected">Offline keys need one in any case.</param>
    /// <param name="others">Keys that lie elsewhere.</param>
    /// <param name="now">When it is issued.</param>
    public void Draft(RootChange change, Passphrase passphrase, bool isProtected, IReadOnlyList<string> others, DateTimeOffset now)
    {
        if (Exists)
            throw new FleetException(ExitCodes.CannotCreate, $"A root is being signed already, '{_path}'; sign that with 'rotate-root' without changes, or delete it.");
        // The next root will have about the length of this one: who holds the other keys need not sign in vain.
        RequireRoom(folder.Envelope);
        var files = folder.Files(passphrase, others);
        var made = new Dictionary<SigningRole, IReadOnlyList<SigningKey>>();
        try
        {
            foreach (var role in change.Replaced)
            {
                var old = RoleNames.Of(role, folder.Root).KeyIds;
                var isSecret = (role is SigningRole.Root or SigningRole.Release && (isProtected || passphrase.IsGiven)) || files.Any(file => file.IsEncrypted && old.Contains(file.KeyId));
                var ring = FirstRoot.MakeKeys(folder.Path, $"{RoleNames.Name(role)}-r{folder.Root.Version + 1}", old.Count, isSecret ? passphrase.Get("the new keys") : null);
                made[role] = ring.Keys;
            }
            var root = change.Apply(folder.Root, made, now);
            DurableFile.Write(_path, DsseEnvelope.Format.Write(new DsseEnvelope { PayloadType = MediaTypes.Root, Payload = Root.Format.Write(root), Signatures = [] }));
        }
        finally
        {
            foreach (var key in made.Values.SelectMany(keys => keys)) key.Dispose();
        }
    }

    /// <summary>Signs with every root key at hand, of the old root and of the new one; becomes the root if that is enough.</summary>
    public RotateReport Sign(Passphrase passphrase, IReadOnlyList<string> others)
    {
        var (envelope, next) = Read();
        var old = folder.Root;
        foreach (var root in (Root[])[old, next])
        {
            if (!folder.Files(passphrase, others).Any(file => root.Roles.Root.KeyIds.Contains(file.KeyId))) continue;
            using var ring = folder.Unlock(SigningRole.Root, root, passphrase, others);
            envelope = ring.AddTo(envelope);
        }
        // Not the version that was reached: the old root may have it already.
        var (result, _, reached) = RootRotation.Follow(old, [envelope], old.Issued);
        var isComplete = reached is not null;
        if (isComplete)
        {
            RequireRoom(envelope);
            folder.Advance(envelope, next);
            DurableFile.Delete(_path);
        }
        else
        {
            DurableFile.Write(_path, DsseEnvelope.Format.Write(envelope));
        }
        return new RotateReport(next.Fleet, next.Version, isComplete, Count(envelope, old), old.Roles.Root.Threshold, Count(envelope, next), next.Roles.Root.Threshold, isComplete ? null : result.Detail);
    }

    private (DsseEnvelope Envelope, Root Next) Read()
    {
        var envelope = DsseEnvelope.Format.Read(File.ReadAllBytes(_path)).GetOrThrow();
        return (envelope, Root.Format.Read(envelope.Payload.Span).GetOrThrow());
    }

    /// <summary>Devices get all roots in one message, and take none that is larger than their link allows.</summary>
    private void RequireRoom(DsseEnvelope next)
    {
        var chain = new RootChain { Schema = RootChain.CurrentSchema, Roots = [.. folder.Chain(), next] };
        if (RootChain.Format.Write(chain).Length is var length && length > MqttLink.MaximumPayloadByteCount)
            throw new FleetException(ExitCodes.CannotCreate, $"With another root the chain of {chain.Roots.Count} roots has {length} bytes, and devices take {MqttLink.MaximumPayloadByteCount} at most; move the oldest files of '{Path.Combine(folder.Path, "roots")}' away, those that every device is past ('dunlin-fleet watch' shows where they are).");
    }

    private static int Count(DsseEnvelope envelope, Root root) => envelope.Signatures.Count(signature => root.Roles.Root.KeyIds.Contains(signature.KeyId ?? ""));
}

/// <param name="Fleet">Whose root.</param>
/// <param name="Version">Of the next root.</param>
/// <param name="IsComplete">It is the root now.</param>
/// <param name="OldSigners">Root keys of the old root that have signed.</param>
/// <param name="OldThreshold">How many must.</param>
/// <param name="NewSigners">Likewise of the new root.</param>
/// <param name="NewThreshold">How many must.</param>
/// <param name="Missing">A sentence while it is not complete.</param>
internal sealed record RotateReport(string Fleet, int Version, bool IsComplete, int OldSigners, int OldThreshold, int NewSigners, int NewThreshold, string? Missing)
{
    /// <summary>Documents that went to the broker under the new root; 0: not the root itself; null: no broker was named.</summary>
    public int? Published { get; init; }

    public string ToText()
    {
        var signers = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{OldSigners} of {OldThreshold} old and {NewSigners} of {NewThreshold} new root keys have signed");
        return !IsComplete
            ? $"Root {Version} of the fleet '{Fleet}' is not in force yet: {signers}. Let another key holder run 'dunlin-fleet rotate-root' in this folder with --key."
            : Published == 0
                ? $"Root {Version} of the fleet '{Fleet}' is in force here: {signers}. But the broker has not taken it, so that no device learns it; run 'dunlin-fleet rotate-root --broker' again when it does."
            : Published is null
                ? $"Root {Version} of the fleet '{Fleet}' is in force here: {signers}. Devices learn it when 'rotate-root --broker' or 'serve' publishes it."
                : $"Root {Version} of the fleet '{Fleet}' is in force and published: {signers}.";
    }
}
