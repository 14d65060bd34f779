using System.Security.Cryptography;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;

namespace Dunlin.Bundles.Trust;

/// <summary>What a key may sign; its name in the root and its payload type.</summary>
public enum SigningRole
{
    Root = 1,
    Release = 2,
    Directive = 3,
    Fresh = 4,

    /// <summary>No role of its own in the root: the keys of <see cref="Directive"/>.</summary>
    Command = 5,
}

/// <summary>
/// Counts the distinct keys of a role that have signed an envelope. Keys, thresholds and algorithms come from the root
/// alone; an envelope's key id only says which key to try first, and a bad signature never spoils a good one.
/// </summary>
public static class EnvelopeVerifier
{
    public static VerificationResult Verify(DsseEnvelope envelope, SigningRole role, Root root)
    {
        var type = PayloadTypeOf(role);
        if (envelope.PayloadType != type)
            return new(VerificationReason.WrongType, $"The envelope has payloadType '{envelope.PayloadType}', and a document of the role '{Name(role)}' must have '{type}'; sign it as such.");
        var (keyIds, threshold) = RoleOf(role, root);
        var encoded = Dsse.PreAuthenticationEncoding(envelope.PayloadType, envelope.Payload.Span);
        var signers = keyIds.Distinct(StringComparer.Ordinal).Count(id => root.Keys.TryGetValue(id, out var key) && HasSigned(envelope, id, key, encoded));
        return signers >= threshold && threshold >= 1
            ? VerificationResult.Accepted
            : new(VerificationReason.BelowThreshold, $"The {Name(role)} document {Digest.Of(envelope.Payload.Span)} is signed by {signers} of the keys that root {root.Version} lists for the role '{Name(role)}', and needs {threshold}; sign it with listed keys ({string.Join(", ", keyIds.Select(id => id[..Math.Min(8, id.Length)]))}), or rotate the root.");
    }

    internal static string PayloadTypeOf(SigningRole role) => role switch
    {
        SigningRole.Root => MediaTypes.Root,
        SigningRole.Release => MediaTypes.Manifest,
        SigningRole.Directive => MediaTypes.Directive,
        SigningRole.Fresh => MediaTypes.Fresh,
        SigningRole.Command => MediaTypes.Command,
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, "There is no such role."),
    };

    private static (IReadOnlyList<string> KeyIds, int Threshold) RoleOf(SigningRole role, Root root)
    {
        var found = role switch
        {
            SigningRole.Root => root.Roles.Root,
            SigningRole.Release => root.Roles.Release,
            SigningRole.Directive or SigningRole.Command => root.Roles.Directive,
            SigningRole.Fresh => root.Roles.Fresh,
            _ => throw new ArgumentOutOfRangeException(nameof(role), role, "There is no such role."),
        };
        return (found.KeyIds, found.Threshold);
    }

    private static string Name(SigningRole role) => role switch
    {
        SigningRole.Root => "root",
        SigningRole.Release => "release",
        SigningRole.Directive => "directive",
        SigningRole.Fresh => "fresh",
        SigningRole.Command => "command",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, "There is no such role."),
    };

    // Signatures that name this key, or none, are tried; so one key costs at most one check per signature.
    private static bool HasSigned(DsseEnvelope envelope, string id, TrustedKey key, byte[] encoded)
    {
        if (key.Algorithm != TrustedKey.EcdsaP256Sha256 || SigningKey.KeyIdOf(key.PublicKey.Span) != id) return false;
        using var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportSubjectPublicKeyInfo(key.PublicKey.Span, out _);
        }
        catch (CryptographicException)
        {
            return false;
        }
        foreach (var signature in envelope.Signatures)
        {
            if (signature.KeyId is { } named && named != id) continue;
            if (ecdsa.VerifyData(encoded, signature.Sig.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)) return true;
        }
        return false;
    }
}
