using System.Formats.Asn1;
using System.Globalization;
using System.Numerics;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.TestKit.Samples;

namespace Dunlin.Bundles.Tests.Trust;

/// <summary>Keys and roots of an owner. Three root keys (2 of 3), two release keys (2 of 2), one online key.</summary>
internal sealed class TestKeys : IDisposable
{
    /// <summary>Of P-256 (SEC 2, 2.4.2).</summary>
    private static readonly BigInteger Order = BigInteger.Parse("0ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    internal SigningKey[] RootKeys { get; } = [SigningKey.Generate(), SigningKey.Generate(), SigningKey.Generate()];

    internal SigningKey[] ReleaseKeys { get; } = [SigningKey.Generate(), SigningKey.Generate()];

    internal SigningKey Online { get; set; } = SigningKey.Generate();

    internal SigningKey Stranger { get; } = SigningKey.Generate();

    internal Root Root(int version = 1, DateTimeOffset? issued = null, SigningKey[]? rootKeys = null) => new()
    {
        Schema = Contracts.Signing.Root.CurrentSchema,
        Fleet = "plant-a",
        Version = version,
        Issued = issued ?? SampleDocuments.Noon,
        Expires = SampleDocuments.Noon.AddYears(5),
        Keys = ((SigningKey[])[.. rootKeys ?? RootKeys, .. ReleaseKeys, Online]).ToDictionary(k => k.KeyId, k => k.Trusted),
        Roles = new Roles
        {
            Root = RoleOf(2, rootKeys ?? RootKeys),
            Release = RoleOf(2, ReleaseKeys),
            Directive = RoleOf(1, Online),
            Fresh = RoleOf(1, Online),
        },
    };

    internal SigningKey[] KeysOf(SigningRole role) => role switch
    {
        SigningRole.Root => RootKeys[..2],
        SigningRole.Release => ReleaseKeys,
        _ => [Online],
    };

    internal static DsseEnvelope Sign(string type, byte[] payload, params SigningKey[] keys) =>
        keys.Aggregate(new DsseEnvelope { PayloadType = type, Payload = payload, Signatures = [] }, (envelope, key) => key.AddTo(envelope));

    internal static DsseEnvelope Sign(Root root, params SigningKey[] keys) => Sign(MediaTypes.Root, Contracts.Signing.Root.Format.Write(root), keys);

    internal DsseEnvelope Sign(Directive directive) => Sign(MediaTypes.Directive, Directive.Format.Write(directive), Online);

    internal DsseEnvelope Sign(Fresh fresh) => Sign(MediaTypes.Fresh, Fresh.Format.Write(fresh), Online);

    /// <summary>(r, n − s), which verifies wherever (r, s) does.</summary>
    internal static byte[] Malleated(ReadOnlyMemory<byte> signature)
    {
        var reader = new AsnReader(signature, AsnEncodingRules.DER).ReadSequence();
        var (r, s) = (reader.ReadInteger(), reader.ReadInteger());
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(r);
            writer.WriteInteger(Order - s);
        }

        return writer.Encode();
    }

    public void Dispose()
    {
        foreach (var key in (SigningKey[])[.. RootKeys, .. ReleaseKeys, Online, Stranger]) key.Dispose();
    }

    private static Role RoleOf(int threshold, params SigningKey[] keys) => new() { Threshold = threshold, KeyIds = [.. keys.Select(k => k.KeyId)] };
}
