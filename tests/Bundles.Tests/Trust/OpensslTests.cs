using System.Globalization;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.TestKit;
using Dunlin.TestKit.Machine;

namespace Dunlin.Bundles.Tests.Trust;

/// <summary>OpenSSL's command line as an independent judge, in both directions.</summary>
public sealed class OpensslTests : IDisposable
{
    private const int EnvelopeCount = 1000;
    private readonly TemporaryFolder _folder = new();
    private readonly TestKeys _keys = new();

    public void Dispose()
    {
        _keys.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task OpensslAndWeAgreeOnAThousandRandomEnvelopes()
    {
        Tool.SkipUnlessInstalled("openssl");
        await File.WriteAllTextAsync(_folder["key.pem"], _keys.Online.ExportPem(), TestContext.Current.CancellationToken);
        await Tool.SucceedAsync("openssl", "pkey", "-in", _folder["key.pem"], "-pubout", "-out", _folder["public.pem"]);
        var random = new Random(11);
        var ours = Enumerable.Range(0, EnvelopeCount).Select(number => Verify(number, random)).ToArray();

        // One shell for each half; a process for each envelope is what takes the time.
        const string Script = """cd "$1"; for i in $(seq "$2" "$3"); do openssl dgst -sha256 -verify public.pem -signature "$i.sig" "$i.message" >/dev/null 2>&1 && echo "$i"; done; true""";
        var halves = await Task.WhenAll(
            Tool.SucceedAsync("sh", "-c", Script, "sh", _folder.Path, "0", $"{(EnvelopeCount / 2) - 1}"),
            Tool.SucceedAsync("sh", "-c", Script, "sh", _folder.Path, $"{EnvelopeCount / 2}", $"{EnvelopeCount - 1}"));
        var accepted = halves.SelectMany(half => half.Split('\n', StringSplitOptions.RemoveEmptyEntries)).Select(number => int.Parse(number, CultureInfo.InvariantCulture)).ToHashSet();
        Assert.Equal([.. Enumerable.Range(0, EnvelopeCount).Where(accepted.Contains)], [.. Enumerable.Range(0, EnvelopeCount).Where(number => ours[number])]);
        Assert.InRange(accepted.Count, EnvelopeCount / 4, EnvelopeCount / 2);
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

    /// <summary>Writes the envelope's parts for openssl and says what we think of it.</summary>
    private bool Verify(int number, Random random)
    {
        var payload = new byte[random.Next(1, 2000)];
        random.NextBytes(payload);
        var signature = (number % 6 == 1 ? _keys.Stranger : _keys.Online).Sign(MediaTypes.Directive, payload).Signatures[0].Sig.ToArray();
        switch (number % 6)
        {
            case 2: signature[random.Next(signature.Length)] ^= (byte)(1 << random.Next(8)); break;
            case 3: payload[random.Next(payload.Length)] ^= 1; break;
            case 4: signature = TestKeys.Malleated(signature); break;
            case 5: signature = signature[..random.Next(signature.Length)]; break;
        }

        File.WriteAllBytes(_folder[$"{number}.sig"], signature);
        File.WriteAllBytes(_folder[$"{number}.message"], Dsse.PreAuthenticationEncoding(MediaTypes.Directive, payload));
        var envelope = new DsseEnvelope { PayloadType = MediaTypes.Directive, Payload = payload, Signatures = [new DsseSignature { KeyId = _keys.Online.KeyId, Sig = signature }] };
        return EnvelopeVerifier.Verify(envelope, SigningRole.Directive, _keys.Root()).IsAccepted;
    }
}
