using Dunlin.Bundles.Durability;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;

namespace Dunlin.Fleet.Signing;

/// <summary>
/// The keys of a fleet as files, one PEM each (mode 0600), with <c>root.json</c>, the envelope that devices trust, and
/// <c>roots/N.json</c>, every root so far. Which key may sign what is said by the root alone, never by a file's name.
/// </summary>
internal sealed class KeyFolder
{
    /// <summary>As a device keeps it in <c>trust/root.json</c>.</summary>
    public const string RootEnvelope = "root.json";

    private const string History = "roots";

    private KeyFolder(string path, DsseEnvelope envelope, Root root) => (Path, Envelope, Root) = (path, envelope, root);

    public string Path { get; }

    public DsseEnvelope Envelope { get; private set; }

    /// <summary>The newest root, verified against its own threshold.</summary>
    public Root Root { get; private set; }

    /// <exception cref="FleetException">There is no root, or it is not properly signed.</exception>
    public static KeyFolder Open(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        var file = System.IO.Path.Combine(full, RootEnvelope);
        if (!File.Exists(file))
            throw new FleetException(ExitCodes.InputMissing, $"There is no root '{file}'; make keys with 'dunlin-fleet keys init', or name their folder with --keys.");
        var envelope = DsseEnvelope.Format.Read(File.ReadAllBytes(file)).GetOrThrow();
        var (result, root) = RootRotation.Install(envelope);
        return root is not null
            ? new KeyFolder(full, envelope, root)
            : throw new FleetException(ExitCodes.InputMissing, $"The root '{file}' cannot be used: {result.Detail}");
    }

    /// <exception cref="FleetException">The folder holds something already.</exception>
    public static KeyFolder Create(string path, KeyPlan plan, DateTimeOffset now)
    {
        var full = System.IO.Path.GetFullPath(path);
        if (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any())
            throw new FleetException(ExitCodes.CannotCreate, $"'{full}' is not empty, and keys are never overwritten; name a new folder.");
        DurableFile.CreateDirectory(full);
        var (envelope, root) = FirstRoot.Make(full, plan, now);
        var folder = new KeyFolder(full, envelope, root);
        folder.Store(envelope, root);
        return folder;
    }

    /// <summary>Every root's envelope from the first that this folder knows on, the newest last.</summary>
    public IReadOnlyList<DsseEnvelope> Chain()
    {
        var history = System.IO.Path.Combine(Path, History);
        var chain = Enumerable.Range(1, Root.Version - 1).Select(version => System.IO.Path.Combine(history, $"{version}.json"))
            .Where(File.Exists).Select(file => DsseEnvelope.Format.Read(File.ReadAllBytes(file)).GetOrThrow());
        return [.. chain, Envelope];
    }

    /// <summary>Makes the next root the newest one. It must have been verified.</summary>
    public void Advance(DsseEnvelope envelope, Root root) => Store(envelope, root);

    /// <summary>The private keys that lie here, and those named apart.</summary>
    public IReadOnlyList<KeyFile> Files(Passphrase passphrase, IEnumerable<string>? others = null) =>
        [.. Directory.EnumerateFiles(Path, "*" + KeyFile.Extension).Order(StringComparer.Ordinal).Select(KeyFile.TryRead).OfType<KeyFile>(),
            .. (others ?? []).Select(file => KeyFile.Read(file, passphrase))];

    /// <summary>Unlocks the keys at hand that a root lists for a role.</summary>
    /// <exception cref="FleetException">There is none.</exception>
    public KeyRing Unlock(SigningRole role, Passphrase passphrase, IEnumerable<string>? others = null) => Unlock(role, Root, passphrase, others);

    public KeyRing Unlock(SigningRole role, Root root, Passphrase passphrase, IEnumerable<string>? others = null)
    {
        var listed = RoleNames.Of(role, root).KeyIds;
        var files = Files(passphrase, others).Where(file => listed.Contains(file.KeyId)).DistinctBy(file => file.KeyId).ToList();
        return files.Count > 0
            ? new KeyRing([.. files.Select(file => file.Unlock(passphrase))])
            : throw new FleetException(ExitCodes.InputMissing,
                $"There is no key for the role '{RoleNames.Name(role)}' in '{Path}': root {root.Version} lists {string.Join(", ", listed.Select(id => id[..12] + "…"))}; bring its file with --key, or rotate the root.");
    }

    private void Store(DsseEnvelope envelope, Root root)
    {
        var history = System.IO.Path.Combine(Path, History);
        DurableFile.CreateDirectory(history);
        var bytes = DsseEnvelope.Format.Write(envelope);
        if (root.Version > 1 && !File.Exists(System.IO.Path.Combine(history, $"{root.Version - 1}.json")))
            DurableFile.Write(System.IO.Path.Combine(history, $"{root.Version - 1}.json"), DsseEnvelope.Format.Write(Envelope));
        DurableFile.Write(System.IO.Path.Combine(history, $"{root.Version}.json"), bytes);
        DurableFile.Write(System.IO.Path.Combine(Path, RootEnvelope), bytes);
        (Envelope, Root) = (envelope, root);
    }
}
