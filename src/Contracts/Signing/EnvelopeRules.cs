using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Signing;

/// <summary>What must hold in an envelope: that it is well-formed. Whether it is signed by anybody is for the verifier.</summary>
internal static class EnvelopeRules
{
    private const int MaximumSignatureCount = 32;

    internal static void Check(DsseEnvelope e, Findings f) => Check("$", e, f);

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
