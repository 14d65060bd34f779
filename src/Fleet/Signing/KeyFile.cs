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
        OwnerFile.Create(path, $"{Label}{key.KeyId}\n{(passphrase is null ? key.ExportPem() : key.ExportPem(passphrase))}\n");

    /// <summary>Null if the file is no private key (a certificate, for example).</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static KeyFile? TryRead(string path, Passphrase passphrase)
    {
        var pem = ReadPem(path);
        if (!pem.Contains("PRIVATE KEY-----", StringComparison.Ordinal)) return null;
        var isEncrypted = SigningKey.IsEncrypted(pem);
        if (pem.StartsWith(Label, StringComparison.Ordinal) && pem.IndexOf('\n', StringComparison.Ordinal) is var end and > 0)
            return new KeyFile(path, pem[Label.Length..end].Trim(), isEncrypted);
        using var key = Unlock(path, pem, passphrase);
        return new KeyFile(path, key.KeyId, isEncrypted);
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
