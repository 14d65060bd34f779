using Dunlin.Bundles.Durability;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;

namespace Dunlin.Fleet.Signing;

/// <summary>The keys of a fleet as files: one PEM per role (mode 0600), and <c>root.json</c>, the envelope that devices trust.</summary>
internal static class KeyFolder
{
    public const string RootKey = "root.pem";
    public const string ReleaseKey = "release.pem";

    /// <summary>Signs directives and fresh documents: the only key that has to be online.</summary>
    public const string DirectiveKey = "directive.pem";

    /// <summary>As a device keeps it in <c>trust/root.json</c>.</summary>
    public const string RootEnvelope = "root.json";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes keys and root 1, with a threshold of one key for each role.</summary>
    /// <exception cref="IOException">The folder holds something already, or cannot be written.</exception>
    public static Root Create(string folder, string fleet, DateTimeOffset now, TimeSpan validity)
    {
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new IOException($"'{folder}' is not empty, and keys are never overwritten; name a new folder.");
        DurableFile.CreateDirectory(folder);
        using var rootKey = WriteKey(folder, RootKey);
        using var releaseKey = WriteKey(folder, ReleaseKey);
        using var directiveKey = WriteKey(folder, DirectiveKey);
        var root = new Root
        {
            Schema = Root.CurrentSchema,
            Fleet = fleet,
            Version = 1,
            Issued = now,
            Expires = now + validity,
            Keys = ((SigningKey[])[rootKey, releaseKey, directiveKey]).ToDictionary(key => key.KeyId, key => key.Trusted),
            Roles = new Roles { Root = By(rootKey), Release = By(releaseKey), Directive = By(directiveKey), Fresh = By(directiveKey) },
        };
        var envelope = rootKey.Sign(MediaTypes.Root, RootReader.Write(root));
        File.WriteAllBytes(Path.Combine(folder, RootEnvelope), EnvelopeReader.Write(envelope));
        return root;
    }

    /// <exception cref="IOException">There is no such key file.</exception>
    /// <exception cref="ArgumentException">The file holds no P-256 private key.</exception>
    public static SigningKey ReadKey(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return File.Exists(path)
            ? SigningKey.FromPem(File.ReadAllText(path))
            : throw new FileNotFoundException($"There is no key '{path}'; make keys with 'dunlin-fleet keys init', or name their folder with --keys.");
    }

    private static Role By(SigningKey key) => new() { Threshold = 1, KeyIds = [key.KeyId] };

    private static SigningKey WriteKey(string folder, string name)
    {
        if (OperatingSystem.IsWindows()) throw new IOException("A key's file must be its owner's alone, which is done here by Unix modes; make keys on Linux.");
        var key = SigningKey.Generate();
        using var file = new StreamWriter(new FileStream(
            Path.Combine(folder, name), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }));
        file.Write(key.ExportPem());
        return key;
    }
}
