using System.Text.Json;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Signing;
using Dunlin.TestKit.Samples;

namespace Dunlin.Bundles.Tests.Trust;

/// <summary>Rows 1 to 3 of the promises, each for each role.</summary>
public sealed class UnsignedDocumentTests : IDisposable
{
    private static readonly SigningRole[] Roles = Enum.GetValues<SigningRole>();

    private readonly TestKeys _keys = new();
    private readonly StoredTrust _device;

    public UnsignedDocumentTests() => _device = new StoredTrust(TestKeys.Sign(_keys.Root(), _keys.RootKeys));

    public static TheoryData<SigningRole> All => [.. Roles];

    public static MatrixTheoryData<SigningRole, string> Matrix { get; } =
        new(Roles, ["no signature", "wrong key", "bad signature", "wrong payloadType", "unknown keyid", "another role's keys", "another payload"]);

    [Theory]
    [MemberData(nameof(Matrix))]
    public void ADocumentThatIsNotSignedAsItsRoleMustIsRefusedAndNothingIsWritten(SigningRole role, string flaw)
    {
        var good = Signed(role, _keys.KeysOf(role));
        var bad = flaw switch
        {
            "no signature" => good with { Signatures = [] },
            "wrong key" => Signed(role, _keys.Stranger),
            "bad signature" => good with { Signatures = [.. good.Signatures.Select(signature => signature with { Sig = Damaged(signature.Sig) })] },
            "wrong payloadType" => good with { PayloadType = "application/vnd.dunlin.other" },
            "unknown keyid" => good with { Signatures = [.. good.Signatures.Select(signature => signature with { KeyId = new string('0', 64) })] },
            "another role's keys" => Signed(role, role == SigningRole.Release ? _keys.RootKeys : _keys.ReleaseKeys),
            _ => good with { Payload = Changed(good.Payload) },
        };
        var before = _device.Hash();
        Assert.Equal(flaw == "wrong payloadType" ? VerificationReason.WrongType : VerificationReason.BelowThreshold, Offer(role, bad).Reason);
        Assert.Equal(before, _device.Hash());

        Assert.True(Offer(role, good).IsAccepted);
        Assert.Equal(role == SigningRole.Command, before == _device.Hash());
    }

    [Theory]
    [InlineData(SigningRole.Root)]
    [InlineData(SigningRole.Release)]
    public void OneKeyDoesNotMakeAThresholdOfTwoHoweverItSigns(SigningRole role)
    {
        var key = _keys.KeysOf(role)[0];
        var one = Signed(role, key);
        var signature = one.Signatures[0];
        var before = _device.Hash();
        foreach (var second in new[]
        {
            signature,
            signature with { Sig = TestKeys.Malleated(signature.Sig) },
            signature with { KeyId = null },
            signature with { KeyId = _keys.KeysOf(role)[1].KeyId },
            Signed(role, key).Signatures[0],
        })
            Assert.Equal(VerificationReason.BelowThreshold, Offer(role, one with { Signatures = [signature, second] }).Reason);
        Assert.Equal(before, _device.Hash());
    }

    [Fact]
    public void ARootThatListsOneKeyTwiceIsNoRoot()
    {
        var key = _keys.RootKeys[0];
        var next = _keys.Root(2);
        var byOneKey = next with
        {
            Keys = new Dictionary<string, TrustedKey>(next.Keys) { ["twin"] = key.Trusted },
            Roles = next.Roles with { Release = new Role { Threshold = 2, KeyIds = [key.KeyId, "twin"] } },
        };
        var before = _device.Hash();
        Assert.Equal(VerificationReason.Malformed, _device.Offer(SigningRole.Root, TestKeys.Sign(MediaTypes.Root, JsonSerializer.SerializeToUtf8Bytes(byOneKey, StrictJson.Default.Root), _keys.RootKeys)).Reason);
        Assert.Equal(before, _device.Hash());
    }

    [Theory]
    [MemberData(nameof(All))]
    public void AnInvalidSignatureBesideAValidSetIsHarmless(SigningRole role)
    {
        var good = Signed(role, _keys.KeysOf(role));
        DsseSignature[] garbage =
        [
            new() { KeyId = _keys.Stranger.KeyId, Sig = new byte[72] },
            new() { KeyId = good.Signatures[0].KeyId, Sig = Damaged(good.Signatures[0].Sig) },
            new() { KeyId = null, Sig = ReadOnlyMemory<byte>.Empty },
        ];
        Assert.True(Offer(role, good with { Signatures = [.. garbage, .. good.Signatures] }).IsAccepted);
    }

    public void Dispose()
    {
        _device.Dispose();
        _keys.Dispose();
    }

    private VerificationResult Offer(SigningRole role, DsseEnvelope envelope) => _device.Offer(role, envelope, Digest.Of(PayloadOf(role)));

    private DsseEnvelope Signed(SigningRole role, params SigningKey[] keys) => TestKeys.Sign(EnvelopeVerifier.PayloadTypeOf(role), PayloadOf(role), keys);

    /// <summary>Each raises something that the device keeps, but for a command, which means nothing to its next start.</summary>
    private byte[] PayloadOf(SigningRole role) => role switch
    {
        SigningRole.Root => Root.Format.Write(_keys.Root(2)),
        SigningRole.Release => Manifest.Format.Write(SampleDocuments.Manifest() with { SecurityEpoch = 3 }),
        SigningRole.Directive => Directive.Format.Write(SampleDocuments.Directive()),
        SigningRole.Command => SignedCommand.Format.Write(SampleDocuments.SignedCommand()),
        _ => Fresh.Format.Write(SampleDocuments.Fresh() with { Time = SampleDocuments.Noon.AddMinutes(5) }),
    };

    private static byte[] Damaged(ReadOnlyMemory<byte> signature)
    {
        var bytes = signature.ToArray();
        bytes[^1] ^= 1;
        return bytes;
    }

    /// <summary>Still the same JSON, but not the same bytes.</summary>
    private static byte[] Changed(ReadOnlyMemory<byte> payload) => [.. payload.Span, (byte)' '];
}
