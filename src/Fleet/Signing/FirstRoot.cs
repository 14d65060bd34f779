using System.Globalization;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;

namespace Dunlin.Fleet.Signing;

/// <summary>Makes the keys of a plan and root 1 over them.</summary>
internal static class FirstRoot
{
    public static (DsseEnvelope Envelope, Root Root) Make(string folder, KeyPlan plan, DateTimeOffset now)
    {
        var online = plan.IsOnlineProtected ? plan.Passphrase : null;
        using var rootKeys = MakeKeys(folder, "root", plan.Root.KeyCount, plan.Passphrase);
        using var releaseKeys = MakeKeys(folder, "release", plan.Release.KeyCount, plan.Passphrase);
        using var directiveKeys = MakeKeys(folder, "directive", plan.Directive.KeyCount, online);
        using var freshKeys = MakeKeys(folder, "fresh", plan.HasFreshKey ? 1 : 0, online);
        var directive = By(directiveKeys, plan.Directive.Threshold);
        var root = new Root
        {
            Schema = Root.CurrentSchema,
            Fleet = plan.Fleet,
            Version = 1,
            Issued = now,
            Expires = now + plan.Validity,
            Keys = ((KeyRing[])[rootKeys, releaseKeys, directiveKeys, freshKeys]).SelectMany(ring => ring.Keys).ToDictionary(key => key.KeyId, key => key.Trusted),
            Roles = new Roles
            {
                Root = By(rootKeys, plan.Root.Threshold),
                Release = By(releaseKeys, plan.Release.Threshold),
                Directive = directive,
                Fresh = plan.HasFreshKey ? By(freshKeys, 1) : directive,
            },
        };
        return (rootKeys.Sign(MediaTypes.Root, Root.Format.Write(root)), root);
    }

    /// <summary>New keys as <c>NAME.pem</c>, or <c>NAME-1.pem</c> … where there are several; numbers that are taken are passed over.</summary>
    public static KeyRing MakeKeys(string folder, string name, int count, string? passphrase)
    {
        var keys = new List<SigningKey>();
        for (var number = 1; keys.Count < count; number++)
        {
            var isOnly = count == 1 && number == 1;
            var path = Path.Combine(folder, (isOnly ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-{number}")) + KeyFile.Extension);
            if (File.Exists(path)) continue;
            var key = SigningKey.Generate();
            keys.Add(key);
            KeyFile.Create(path, key, passphrase);
        }
        return new KeyRing(keys);
    }

    private static Role By(KeyRing ring, int threshold) => new() { Threshold = threshold, KeyIds = [.. ring.Keys.Select(key => key.KeyId)] };
}
