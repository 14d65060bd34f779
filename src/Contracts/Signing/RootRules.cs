using System.Security.Cryptography;
using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Signing;

/// <summary>
/// What must hold in a root. A key has exactly one accepted encoding and its id is the digest of it, so that one key
/// cannot stand under two ids and count twice.
/// </summary>
internal static class RootRules
{
    internal const int MaximumKeyCount = 64;
    private const int MaximumRootCount = 1024;

    // SubjectPublicKeyInfo of an uncompressed point on the named curve P-256 (RFC 5480): everything before X and Y.
    private static readonly byte[] P256Prefix = Convert.FromHexString("3059301306072a8648ce3d020106082a8648ce3d03010703420004");

    internal static void Check(Root r, Findings f)
    {
        f.Schema("$.schema", r.Schema, Root.CurrentSchema);
        f.Name("$.fleet", r.Fleet);
        f.Between("$.version", r.Version, 1, int.MaxValue, "");
        f.Require(r.Expires > r.Issued, "$.expires", r.Expires, "must be after issued", "correct the value");
        f.Require(r.Keys.Count is >= 1 and <= MaximumKeyCount, "$.keys", new ItemCount(r.Keys.Count), $"must have 1 to {MaximumKeyCount} items", "add or remove some");
        foreach (var (id, key) in r.Keys) Key($"$.keys.{id}", id, key, f);
        Role("$.roles.root", r.Roles.Root, r.Keys, f);
        Role("$.roles.release", r.Roles.Release, r.Keys, f);
        Role("$.roles.directive", r.Roles.Directive, r.Keys, f);
        Role("$.roles.fresh", r.Roles.Fresh, r.Keys, f);
    }

    internal static void Check(RootChain c, Findings f)
    {
        f.Schema("$.schema", c.Schema, RootChain.CurrentSchema);
        if (!f.Items("$.roots", c.Roots, 1, MaximumRootCount)) return;
        for (var i = 0; i < c.Roots.Count; i++) EnvelopeRules.Check($"$.roots[{i}]", c.Roots[i], f);
    }

    private static void Key(string path, string id, TrustedKey? key, Findings f)
    {
        if (!f.Require(key is not null, path, "null", "must not be null", "remove it")) return;
        f.Require(key!.Algorithm == TrustedKey.EcdsaP256Sha256, $"{path}.algorithm", key.Algorithm, $"must be '{TrustedKey.EcdsaP256Sha256}'", "other algorithms need a newer agent");
        var der = key.PublicKey.Span;
        if (f.Require(der.Length == P256Prefix.Length + 64 && der.StartsWith(P256Prefix), $"{path}.publicKey", $"{der.Length} bytes",
            "must be the 91 bytes of an uncompressed P-256 SubjectPublicKeyInfo", "export it with 'openssl pkey -pubout -outform DER'"))
            f.Require(IsOnCurve(der), $"{path}.publicKey", Convert.ToHexStringLower(der[^64..]), "must be a point of the curve P-256", "export the key again");
        var expected = Convert.ToHexStringLower(SHA256.HashData(der));
        f.Require(id == expected, path, id, $"must stand under the SHA-256 of its public key, {expected}", "use that as the id");
    }

    private static void Role(string path, Role role, IReadOnlyDictionary<string, TrustedKey> keys, Findings f)
    {
        if (!f.Items($"{path}.keyIds", role.KeyIds, 1, MaximumKeyCount)) return;
        f.Unique($"{path}.keyIds", role.KeyIds);
        for (var i = 0; i < role.KeyIds.Count; i++)
            f.Require(keys.ContainsKey(role.KeyIds[i]), $"{path}.keyIds[{i}]", role.KeyIds[i], "must be one of $.keys", "add the key");
        f.Between($"{path}.threshold", role.Threshold, 1, role.KeyIds.Count, "keys");
    }

    private static bool IsOnCurve(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
