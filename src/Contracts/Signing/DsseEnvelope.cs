using System.Text.Json.Serialization;
using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Signing;

/// <summary>
/// A DSSE v1 envelope (https://github.com/secure-systems-lab/dsse). Signatures are over
/// PAE(payloadType, payload); algorithms and keys come from the trusted root alone.
/// </summary>
public sealed record DsseEnvelope
{
    /// <summary>Of at most 6 MiB: a manifest of 4 MiB in Base64, with its signatures.</summary>
    public static DocumentFormat<DsseEnvelope> Format { get; } = new("DSSE envelope", 6 * 1024 * 1024, StrictJson.Default.DsseEnvelope, EnvelopeRules.Check, seal: static e => e);

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
