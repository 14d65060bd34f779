using System.Text.Json.Serialization;

namespace Dunlin.Contracts.Signing;

/// <summary>
/// A DSSE v1 envelope (https://github.com/secure-systems-lab/dsse). Signatures are over
/// PAE(payloadType, payload); algorithms and keys come from the trusted root alone.
/// </summary>
public sealed record DsseEnvelope
{
    public required string PayloadType { get; init; }

    /// <summary>The signed bytes, Base64 in JSON.</summary>
    public required ReadOnlyMemory<byte> Payload { get; init; }

    public required IReadOnlyList<DsseSignature> Signatures { get; init; }
}

public sealed record DsseSignature
{
    /// <summary>A hint, not authenticated: the signer's key id (SHA-256 hex of its SubjectPublicKeyInfo). Without it every key of the role is tried.</summary>
    [JsonPropertyName("keyid")]
    public string? KeyId { get; init; }

    /// <summary>ECDSA P-256 / SHA-256 in DER (RFC 3279), as <c>openssl dgst -sign</c> writes it; Base64 in JSON.</summary>
    public required ReadOnlyMemory<byte> Sig { get; init; }
}
