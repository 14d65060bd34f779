using System.Numerics;
using System.Text;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;

namespace Dunlin.Bundles.Tests.Trust;

public sealed class EnvelopeVerifierTests : IDisposable
{
    private static readonly byte[] Payload = "{\"any\":1}"u8.ToArray();
    private readonly TestKeys _keys = new();

    public static TheoryData<SigningRole> Roles => [SigningRole.Root, SigningRole.Release, SigningRole.Directive, SigningRole.Fresh, SigningRole.Command];

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void TheEncodingIsThatOfTheSpecification() =>
        Assert.Equal("DSSEv1 29 http://example.com/HelloWorld 11 hello world", Encoding.UTF8.GetString(Dsse.PreAuthenticationEncoding("http://example.com/HelloWorld", "hello world"u8)));

    [Theory]
    [MemberData(nameof(Roles))]
    public void EachRoleIsSignedByItsOwnKeysOnly(SigningRole role)
    {
        var type = EnvelopeVerifier.PayloadTypeOf(role);
        var good = TestKeys.Sign(type, Payload, _keys.KeysOf(role));
        Verify(VerificationReason.Accepted, role, good);
        Verify(VerificationReason.BelowThreshold, role, good with { Signatures = [] });
        Verify(VerificationReason.BelowThreshold, role, TestKeys.Sign(type, Payload, _keys.Stranger));
        Verify(VerificationReason.BelowThreshold, role, good with { Payload = "{\"any\":2}"u8.ToArray() });
        Verify(VerificationReason.BelowThreshold, role, good with { Signatures = [.. good.Signatures.Select(s => s with { KeyId = "unknown" })] });
        Verify(VerificationReason.BelowThreshold, role, good with { Signatures = [.. good.Signatures.Select(s => s with { Sig = Flip(s.Sig) })] });
        Verify(VerificationReason.WrongType, role, good with { PayloadType = "application/vnd.dunlin.other" });
        foreach (var other in Enum.GetValues<SigningRole>().Where(r => r != role)) Verify(VerificationReason.WrongType, other, good);
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public void ASignatureForOneTypeIsNoneForAnother(SigningRole role)
    {
        var elsewhere = TestKeys.Sign("application/vnd.dunlin.other", Payload, _keys.KeysOf(role));
        Verify(VerificationReason.BelowThreshold, role, elsewhere with { PayloadType = EnvelopeVerifier.PayloadTypeOf(role) });
    }

    [Fact]
    public void OneKeyCountsOnceHoweverItSigns()
    {
        var one = TestKeys.Sign(MediaTypes.Manifest, Payload, _keys.ReleaseKeys[0]);
        var signature = one.Signatures[0];
        var twin = signature with { Sig = TestKeys.Malleated(signature.Sig) };
        Verify(VerificationReason.Accepted, SigningRole.Directive, Alone(MediaTypes.Directive, s => s with { Sig = TestKeys.Malleated(s.Sig) }));
        Verify(VerificationReason.BelowThreshold, SigningRole.Release, one with { Signatures = [signature, signature] });
        Verify(VerificationReason.BelowThreshold, SigningRole.Release, one with { Signatures = [signature, twin] });
        Verify(VerificationReason.BelowThreshold, SigningRole.Release, one with { Signatures = [signature, twin with { KeyId = null }] });
        Verify(VerificationReason.BelowThreshold, SigningRole.Release, one with { Signatures = [signature, signature with { KeyId = _keys.ReleaseKeys[1].KeyId }] });
    }

    [Fact]
    public void AKeyUnderTwoIdsCountsOnceEvenInARootThatWasNeverChecked()
    {
        var root = _keys.Root();
        var key = _keys.ReleaseKeys[0];
        var twin = root with
        {
            Keys = new Dictionary<string, TrustedKey>(root.Keys) { ["twin"] = key.Trusted },
            Roles = root.Roles with { Release = new Role { Threshold = 2, KeyIds = [key.KeyId, "twin", key.KeyId] } },
        };
        var envelope = TestKeys.Sign(MediaTypes.Manifest, Payload, key);
        envelope = envelope with { Signatures = [envelope.Signatures[0], envelope.Signatures[0] with { KeyId = "twin" }] };
        Assert.Equal(VerificationReason.BelowThreshold, EnvelopeVerifier.Verify(envelope, SigningRole.Release, twin).Reason);
    }

    [Fact]
    public void GarbageBesideAGoodSetIsHarmless()
    {
        var good = TestKeys.Sign(MediaTypes.Root, Payload, _keys.RootKeys[..2]);
        DsseSignature[] garbage =
        [
            new() { KeyId = _keys.RootKeys[2].KeyId, Sig = new byte[] { 1, 2, 3 } },
            new() { KeyId = null, Sig = ReadOnlyMemory<byte>.Empty },
            new() { KeyId = "../../etc", Sig = new byte[500] },
            good.Signatures[0] with { Sig = new byte[72] },
        ];
        Verify(VerificationReason.Accepted, SigningRole.Root, good with { Signatures = [.. garbage, .. good.Signatures, .. garbage] });
    }

    [Fact]
    public void AnEnvelopeWithoutKeyIdsIsVerifiedByTryingTheRolesKeys() =>
        Verify(VerificationReason.Accepted, SigningRole.Directive, Alone(MediaTypes.Directive, s => s with { KeyId = null }));

    [Theory]
    [InlineData("""{"payloadType":"t","payload":"e30=","signatures":[],"alg":"none"}""")]
    [InlineData("""{"payloadType":"t","payload":"e30=","signatures":[{"keyid":"a","sig":"AA==","alg":"none"}]}""")]
    [InlineData("""{"payloadType":"t","payload":"e30=","signatures":[{"keyid":"a","sig":"AA==","publicKey":"AA=="}]}""")]
    public void AnEnvelopeThatNamesAnAlgorithmOrAKeyIsMalformed(string json) => Assert.False(DsseEnvelope.Format.Read(Encoding.UTF8.GetBytes(json)).IsValid);

    [Fact]
    public void AnAlgorithmThatTheRootMisnamesVerifiesNothing()
    {
        var root = _keys.Root();
        var renamed = root with { Keys = root.Keys.ToDictionary(k => k.Key, k => k.Value with { Algorithm = "none" }) };
        Assert.Equal(VerificationReason.BelowThreshold, EnvelopeVerifier.Verify(Alone(MediaTypes.Directive, s => s), SigningRole.Directive, renamed).Reason);
    }

    [Fact]
    public void ASignatureInFixedWidthFormIsNotTaken() =>
        Verify(VerificationReason.BelowThreshold, SigningRole.Directive, Alone(MediaTypes.Directive, s => s with { Sig = FixedWidth(s.Sig) }));

    private DsseEnvelope Alone(string type, Func<DsseSignature, DsseSignature> change)
    {
        var envelope = TestKeys.Sign(type, Payload, _keys.Online);
        return envelope with { Signatures = [change(envelope.Signatures[0])] };
    }

    private void Verify(VerificationReason expected, SigningRole role, DsseEnvelope envelope)
    {
        var result = EnvelopeVerifier.Verify(envelope, role, _keys.Root());
        Assert.True(result.Reason == expected, $"{role}: {result}");
    }

    private static byte[] Flip(ReadOnlyMemory<byte> signature)
    {
        var bytes = signature.ToArray();
        bytes[^1] ^= 1;
        return bytes;
    }

    private static byte[] FixedWidth(ReadOnlyMemory<byte> signature)
    {
        var reader = new System.Formats.Asn1.AsnReader(signature, System.Formats.Asn1.AsnEncodingRules.DER).ReadSequence();
        return [.. Width(reader.ReadInteger()), .. Width(reader.ReadInteger())];

        static byte[] Width(BigInteger value)
        {
            var bytes = value.ToByteArray(isUnsigned: true, isBigEndian: true);
            return [.. new byte[32 - bytes.Length], .. bytes];
        }
    }
}
