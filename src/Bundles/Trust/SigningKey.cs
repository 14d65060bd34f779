using System.Security.Cryptography;
using Dunlin.Contracts.Signing;

namespace Dunlin.Bundles.Trust;

/// <summary>An ECDSA P-256 private key. Owned by whoever made it; dispose it.</summary>
public sealed class SigningKey : IDisposable
{
    private readonly ECDsa _key;

    private SigningKey(ECDsa key)
    {
        _key = key;
        PublicKey = key.ExportSubjectPublicKeyInfo();
        KeyId = KeyIdOf(PublicKey.Span);
    }

    /// <summary>SHA-256 of <see cref="PublicKey"/> in lower-case hex.</summary>
    public string KeyId { get; }

    /// <summary>DER SubjectPublicKeyInfo.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>As a root lists it.</summary>
    public TrustedKey Trusted => new() { Algorithm = TrustedKey.EcdsaP256Sha256, PublicKey = PublicKey };

    public static string KeyIdOf(ReadOnlySpan<byte> subjectPublicKeyInfo) => Convert.ToHexStringLower(SHA256.HashData(subjectPublicKeyInfo));

    public static SigningKey Generate() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>From PEM (PKCS#8, or SEC 1 as <c>openssl ecparam -genkey</c> writes it).</summary>
    /// <exception cref="ArgumentException">It is no unencrypted private key on the curve P-256.</exception>
    public static SigningKey FromPem(string pem) => Import(key => key.ImportFromPem(pem), "The PEM holds no unencrypted EC private key", nameof(pem));

    /// <summary>From PEM that <see cref="ExportPem(string)"/> or <c>openssl pkcs8 -topk8</c> has encrypted.</summary>
    /// <exception cref="ArgumentException">The passphrase is wrong, or the key is not on the curve P-256.</exception>
    public static SigningKey FromPem(string pem, string passphrase) =>
        Import(key => key.ImportFromEncryptedPem(pem, passphrase), "The PEM holds no EC private key that this passphrase opens", nameof(pem));

    /// <summary>Whether a passphrase is needed to read it.</summary>
    public static bool IsEncrypted(string pem) => pem.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal);

    /// <summary>PKCS#8 PEM, unencrypted: keep the file at mode 0600.</summary>
    public string ExportPem() => _key.ExportPkcs8PrivateKeyPem();

    /// <summary>PKCS#8 PEM, encrypted (PBES2: AES-256-CBC, PBKDF2 with HMAC-SHA-256, 600,000 rounds as OWASP advises).</summary>
    public string ExportPem(string passphrase) =>
        _key.ExportEncryptedPkcs8PrivateKeyPem(passphrase, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 600_000));

    /// <summary>Signs bytes of one media type; more keys may be added with <see cref="AddTo"/>.</summary>
    public DsseEnvelope Sign(string payloadType, ReadOnlyMemory<byte> payload) =>
        AddTo(new DsseEnvelope { PayloadType = payloadType, Payload = payload, Signatures = [] });

    /// <summary>The envelope with this key's signature added, or replaced if it had one.</summary>
    public DsseEnvelope AddTo(DsseEnvelope envelope)
    {
        var encoded = Dsse.PreAuthenticationEncoding(envelope.PayloadType, envelope.Payload.Span);
        var signature = _key.SignData(encoded, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        return envelope with
        {
            Signatures = [.. envelope.Signatures.Where(s => s.KeyId != KeyId), new DsseSignature { KeyId = KeyId, Sig = signature }],
        };
    }

    public void Dispose() => _key.Dispose();

    private static SigningKey Import(Action<ECDsa> import, string refusal, string parameter)
    {
        const string make = "make one with 'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256'";
        var key = ECDsa.Create();
        try
        {
            import(key);
            if (key.ExportParameters(includePrivateParameters: true).Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value) return new SigningKey(key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new ArgumentException($"{refusal}; {make}.", parameter, e);
        }
        key.Dispose();
        throw new ArgumentException($"The key is not on the curve P-256; {make}.", parameter);
    }
}
