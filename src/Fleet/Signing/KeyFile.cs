using Dunlin.Bundles.Trust;

namespace Dunlin.Fleet.Signing;

/// <summary>
/// A private key as a PEM file. A line before the PEM block names the key's id, so that it is known without the passphrase;
/// readers of PEM pass over it.
/// </summary>
internal sealed record KeyFile(string Path, string KeyId, bool IsEncrypted)
{
    public const string Extension = ".pem";
    private const string Label = "Dunlin key ";
    private const int MaximumByteCount = 64 * 1024;

    public static void Create(string path, SigningKey key, string? passphrase) =>
        Create(path, key.KeyId, passphrase is null ? key.ExportPem() : key.ExportPem(passphrase));

    /// <summary>For a key that is no <see cref="SigningKey"/>.</summary>
    public static void Create(string path, string keyId, string pem) => OwnerFile.Create(path, $"{Label}{keyId}\n{pem}\n");

    /// <summary>Null if the file is no private key, or does not say which one without its passphrase.</summary>
    public static KeyFile? TryRead(string path)
    {
        var pem = ReadPem(path);
        if (!pem.Contains("PRIVATE KEY-----", StringComparison.Ordinal)) return null;
        if (pem.StartsWith(Label, StringComparison.Ordinal) && pem.IndexOf('\n', StringComparison.Ordinal) is var end and > 0)
            return new KeyFile(path, pem[Label.Length..end].Trim(), SigningKey.IsEncrypted(pem));
        if (SigningKey.IsEncrypted(pem)) return null;
        try
        {
            using var key = SigningKey.FromPem(pem);
            return new KeyFile(path, key.KeyId, IsEncrypted: false);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>A key that was named: asks for the passphrase if its id is not known without.</summary>
    /// <exception cref="FleetException">It is none.</exception>
    public static KeyFile Read(string path, Passphrase passphrase)
    {
        if (TryRead(path) is { } known) return known;
        var pem = ReadPem(path);
        using var key = Unlock(path, pem, passphrase);
        return new KeyFile(path, key.KeyId, SigningKey.IsEncrypted(pem));
    }

    public SigningKey Unlock(Passphrase passphrase)
    {
        var key = Unlock(Path, ReadPem(Path), passphrase);
        if (key.KeyId == KeyId) return key;
        var actual = key.KeyId;
        key.Dispose();
        throw new FleetException(ExitCodes.InputMissing, $"The key '{Path}' says that it is {KeyId[..12]}…, and is {actual[..12]}…; restore the file.");
    }

    private static SigningKey Unlock(string path, string pem, Passphrase passphrase)
    {
        try
        {
            return SigningKey.IsEncrypted(pem) ? SigningKey.FromPem(pem, passphrase.Get($"the key '{path}'")) : SigningKey.FromPem(pem);
        }
        catch (ArgumentException e)
        {
            throw new FleetException(
                SigningKey.IsEncrypted(pem) ? ExitCodes.NotPermitted : ExitCodes.InputMissing,
                $"The key '{path}' cannot be used: {e.Message.Split(" (Parameter")[0]}", e);
        }
    }

    private static string ReadPem(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists) throw new FileNotFoundException($"There is no key '{path}'; make keys with 'dunlin-fleet keys init', or name their folder with --keys.");
        return file.Length <= MaximumByteCount ? File.ReadAllText(path) : "";
    }
}
