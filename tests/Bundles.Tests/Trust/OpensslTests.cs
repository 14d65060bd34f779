using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.TestKit.Machine;

namespace Dunlin.Bundles.Tests.Trust;

/// <summary>OpenSSL's command line as an independent judge, in both directions.</summary>
public sealed class OpensslTests : IDisposable
{
    private const int VerdictCount = 60;
    private readonly TemporaryFolder _folder = new();
    private readonly TestKeys _keys = new();

    public void Dispose()
    {
        _keys.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task OpensslAndWeAgreeOnRandomEnvelopes()
    {
        Tool.SkipUnlessInstalled("openssl");
        await File.WriteAllTextAsync(_folder["key.pem"], _keys.Online.ExportPem(), TestContext.Current.CancellationToken);
        await Tool.SucceedAsync("openssl", "pkey", "-in", _folder["key.pem"], "-pubout", "-out", _folder["public.pem"]);
        var random = new Random(11);
        for (var i = 0; i < VerdictCount; i++)
        {
            var payload = new byte[random.Next(1, 2000)];
            random.NextBytes(payload);
            var envelope = _keys.Online.Sign(MediaTypes.Directive, payload);
            var signature = envelope.Signatures[0].Sig.ToArray();
            if (i % 3 == 1) signature[random.Next(signature.Length)] ^= (byte)(1 << random.Next(8));
            if (i % 3 == 2) payload[random.Next(payload.Length)] ^= 1;
            envelope = envelope with { Payload = payload, Signatures = [envelope.Signatures[0] with { Sig = signature }] };
            File.WriteAllBytes(_folder["sig"], signature);
            File.WriteAllBytes(_folder["message"], Dsse.PreAuthenticationEncoding(MediaTypes.Directive, payload));
            var (code, _) = await Tool.RunAsync("openssl", "dgst", "-sha256", "-verify", _folder["public.pem"], "-signature", _folder["sig"], _folder["message"]);
            Assert.Equal(code == 0, EnvelopeVerifier.Verify(envelope, SigningRole.Directive, _keys.Root()).IsAccepted);
            Assert.Equal(i % 3 == 0, code == 0);
        }
    }

    [Theory]
    [InlineData("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")]
    [InlineData("ecparam", "-genkey", "-noout", "-name", "prime256v1")]
    public async Task AKeyAndASignatureOfOpensslAreAccepted(params string[] generate)
    {
        Tool.SkipUnlessInstalled("openssl");
        await Tool.SucceedAsync("openssl", [.. generate, "-out", _folder["key.pem"]]);
        var key = SigningKey.FromPem(await File.ReadAllTextAsync(_folder["key.pem"], TestContext.Current.CancellationToken));
        _keys.Online.Dispose();
        _keys.Online = key;
        byte[] payload = [1, 2, 3];
        File.WriteAllBytes(_folder["message"], Dsse.PreAuthenticationEncoding(MediaTypes.Fresh, payload));
        await Tool.SucceedAsync("openssl", "dgst", "-sha256", "-sign", _folder["key.pem"], "-out", _folder["sig"], _folder["message"]);
        var envelope = new DsseEnvelope { PayloadType = MediaTypes.Fresh, Payload = payload, Signatures = [new DsseSignature { KeyId = key.KeyId, Sig = File.ReadAllBytes(_folder["sig"]) }] };
        Assert.True(EnvelopeVerifier.Verify(envelope, SigningRole.Fresh, _keys.Root()).IsAccepted);
        await Tool.SucceedAsync("openssl", "pkey", "-in", _folder["key.pem"], "-pubout", "-outform", "DER", "-out", _folder["public.der"]);
        Assert.Equal(key.KeyId, SigningKey.KeyIdOf(File.ReadAllBytes(_folder["public.der"])));
    }

    [Theory]
    [InlineData("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")]
    [InlineData("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")]
    public async Task AKeyOfAnotherKindIsRefusedWithTheCommandThatMakesOne(params string[] generate)
    {
        Tool.SkipUnlessInstalled("openssl");
        await Tool.SucceedAsync("openssl", [.. generate, "-out", _folder["key.pem"]]);
        var pem = await File.ReadAllTextAsync(_folder["key.pem"], TestContext.Current.CancellationToken);
        Assert.Contains("openssl genpkey", Assert.Throws<ArgumentException>(() => SigningKey.FromPem(pem)).Message, StringComparison.Ordinal);
    }
}
