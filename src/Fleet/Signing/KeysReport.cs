using System.Globalization;
using System.Text;
using Dunlin.Contracts.Signing;

namespace Dunlin.Fleet.Signing;

/// <summary>A root and the keys at hand, for people and programs. Holds no secret.</summary>
internal sealed record KeysReport(string Folder, string Fleet, int RootVersion, DateTimeOffset Expires, IReadOnlyList<RoleReport> Roles)
{
    public static KeysReport Of(KeyFolder folder, Passphrase passphrase)
    {
        var files = folder.Files(passphrase);
        return new KeysReport(folder.Path, folder.Root.Fleet, folder.Root.Version, folder.Root.Expires,
            [.. RoleNames.All.Select(role => Of(RoleNames.Name(role), RoleNames.Of(role, folder.Root), files))]);
    }

    public string ToText()
    {
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"{Folder}: root {RootVersion} of the fleet '{Fleet}', valid until {Expires:yyyy-MM-dd}"));
        foreach (var role in Roles)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n  {role.Role,-10}{role.Threshold} of {role.Keys.Count}");
            foreach (var key in role.Keys) text.Append(CultureInfo.InvariantCulture, $"\n    {key.KeyId[..16]}  {(key.File is null ? "not here" : key.File + (key.IsEncrypted ? ", with a passphrase" : ", plain"))}");
        }
        return text.ToString();
    }

    private static RoleReport Of(string name, Role role, IReadOnlyList<KeyFile> files) =>
        new(name, role.Threshold, [.. role.KeyIds.Select(id => files.FirstOrDefault(file => file.KeyId == id) is { } file
            ? new KeyReport(id, Path.GetFileName(file.Path), file.IsEncrypted)
            : new KeyReport(id, null, false))]);
}

internal sealed record RoleReport(string Role, int Threshold, IReadOnlyList<KeyReport> Keys);

/// <param name="KeyId">SHA-256 of the public key.</param>
/// <param name="File">Its name in the folder; null if the private key is elsewhere, as it should be for keys that are kept offline.</param>
/// <param name="IsEncrypted">With a passphrase.</param>
internal sealed record KeyReport(string KeyId, string? File, bool IsEncrypted);
