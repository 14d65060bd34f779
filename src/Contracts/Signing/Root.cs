using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Signing;

/// <summary>The trusted keys of a fleet; version N + 1 is signed by the thresholds of N and of N + 1.</summary>
public sealed record Root
{
    public const string CurrentSchema = "dunlin.root.v1";

    /// <summary>Of the payload of a root envelope.</summary>
    public static DocumentFormat<Root> Format { get; } = new("root", 256 * 1024, StrictJson.Default.Root, RootRules.Check);

    public required string Schema { get; init; }
    public required string Fleet { get; init; }

    /// <summary>Starts at 1 and rises by one.</summary>
    public required int Version { get; init; }

    public required DateTimeOffset Issued { get; init; }
    public required DateTimeOffset Expires { get; init; }

    /// <summary>By key id: SHA-256 hex of the SubjectPublicKeyInfo.</summary>
    public required IReadOnlyDictionary<string, TrustedKey> Keys { get; init; }

    public required Roles Roles { get; init; }
}

public sealed record TrustedKey
{
    public const string EcdsaP256Sha256 = "ecdsa-p256-sha256";

    public required string Algorithm { get; init; }

    /// <summary>DER SubjectPublicKeyInfo, Base64 in JSON.</summary>
    public required ReadOnlyMemory<byte> PublicKey { get; init; }
}

/// <summary>
/// Topic <c>root</c>, retained: the envelopes of consecutive roots, oldest first, so that a device that slept through
/// several rotations can follow each one.
/// </summary>
public sealed record RootChain
{
    public const string CurrentSchema = "dunlin.root-chain.v1";

    public static DocumentFormat<RootChain> Format { get; } = new("root chain", 4 * 1024 * 1024, StrictJson.Default.RootChain, RootRules.Check);

    public required string Schema { get; init; }

    /// <summary>At least one; the last is the newest root.</summary>
    public required IReadOnlyList<DsseEnvelope> Roots { get; init; }
}

/// <summary>Who may sign what.</summary>
public sealed record Roles
{
    public required Role Root { get; init; }
    public required Role Release { get; init; }
    public required Role Directive { get; init; }
    public required Role Fresh { get; init; }
}

public sealed record Role
{
    /// <summary>How many distinct keys must have signed; at least 1.</summary>
    public required int Threshold { get; init; }

    public required IReadOnlyList<string> KeyIds { get; init; }
}
