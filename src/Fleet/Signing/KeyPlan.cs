using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Dunlin.Fleet.Signing;

/// <summary>How many keys of a role must sign, of how many.</summary>
internal readonly record struct RoleSize(int Threshold, int KeyCount)
{
    private const int Most = 16;

    public static RoleSize One { get; } = new(1, 1);

    /// <summary>Reads <c>2/3</c> (two of three) or <c>1</c>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out RoleSize size)
    {
        size = One;
        var parts = (text ?? "").Split('/');
        if (parts.Length > 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var threshold)) return false;
        var count = threshold;
        if (parts.Length == 2 && !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out count)) return false;
        size = new RoleSize(threshold, count);
        return threshold >= 1 && threshold <= count && count <= Most;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Threshold}/{KeyCount}");
}

/// <summary>What <c>keys init</c> is to make.</summary>
internal sealed record KeyPlan
{
    public required string Fleet { get; init; }
    public TimeSpan Validity { get; init; } = TimeSpan.FromDays(3650);
    public RoleSize Root { get; init; } = RoleSize.One;
    public RoleSize Release { get; init; } = RoleSize.One;
    public RoleSize Directive { get; init; } = RoleSize.One;

    /// <summary>A key of its own for the beacon; otherwise the directive keys sign it.</summary>
    public bool HasFreshKey { get; init; }

    /// <summary>Encrypts the keys that belong offline (root, release, the authority's); null: plain files.</summary>
    public string? Passphrase { get; init; }

    /// <summary>Encrypts directive and fresh keys too; <c>serve</c> then needs the passphrase at each start.</summary>
    public bool IsOnlineProtected { get; init; }
}
