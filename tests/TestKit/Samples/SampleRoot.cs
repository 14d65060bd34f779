using System.Security.Cryptography;
using Dunlin.Contracts.Signing;

namespace Dunlin.TestKit.Samples;

/// <summary>A root over real keys; tests that sign make their own.</summary>
public static class SampleRoot
{
    public static Root Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var der = key.ExportSubjectPublicKeyInfo();
        var id = Convert.ToHexStringLower(SHA256.HashData(der));
        var role = new Role { Threshold = 1, KeyIds = [id] };
        return new Root
        {
            Schema = Root.CurrentSchema,
            Fleet = "plant-a",
            Version = 1,
            Issued = SampleDocuments.Noon,
            Expires = SampleDocuments.Noon.AddYears(1),
            Keys = new Dictionary<string, TrustedKey> { [id] = new() { Algorithm = TrustedKey.EcdsaP256Sha256, PublicKey = der } },
            Roles = new Roles { Root = role, Release = role, Directive = role, Fresh = role },
        };
    }
}
