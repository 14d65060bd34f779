using System.Text.Json;
using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Signing;

/// <summary>Reads and writes DSSE envelopes. A valid envelope is well-formed; whether it is signed by anybody is for the verifier.</summary>
public static class EnvelopeReader
{
    /// <summary>A manifest of 4 MiB in Base64, with its signatures.</summary>
    public const int MaximumByteCount = 6 * 1024 * 1024;

    public const int MaximumSignatureCount = 32;

    private const string Kind = "DSSE envelope";

    public static DocumentResult<DsseEnvelope> Read(ReadOnlySpan<byte> json) =>
        DocumentReader.Read(Kind, json, MaximumByteCount, StrictJson.Default.DsseEnvelope, (e, f) => Check("$", e, f));

    public static byte[] Write(DsseEnvelope envelope) => JsonSerializer.SerializeToUtf8Bytes(envelope, StrictJson.Default.DsseEnvelope);

    internal static void Check(string path, DsseEnvelope e, Findings f)
    {
        f.Text($"{path}.payloadType", e.PayloadType, 128);
        f.Require(e.Payload.Length > 0, $"{path}.payload", "", "must not be empty", "sign a document");
        if (!f.Items($"{path}.signatures", e.Signatures, 0, MaximumSignatureCount)) return;
        for (var i = 0; i < e.Signatures.Count; i++)
        {
            var s = e.Signatures[i];
            f.Require(s.KeyId is null or { Length: <= 128 }, $"{path}.signatures[{i}].keyid", s.KeyId, "must have at most 128 characters", "use the key id of the root");
            f.Require(s.Sig.Length <= 16384, $"{path}.signatures[{i}].sig", $"{s.Sig.Length} bytes", "must have at most 16384 bytes", "remove the signature");
        }
    }
}
