using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;

namespace Dunlin.Bundles.Trust;

/// <summary>How floors begin, rise and, after a stolen key, begin again. Only signed times raise them, never the system clock.</summary>
public static class FloorRules
{
    /// <summary>The floors of a device that has just got its first root.</summary>
    public static Floors Begin(Root root) => new()
    {
        Schema = Floors.CurrentSchema,
        RootVersion = root.Version,
        OnlineKeyIds = OnlineKeys(root),
        Counter = 0,
        SecurityEpoch = 0,
        Time = root.Issued,
    };

    /// <summary>
    /// The floors as they stand under this root. If it no longer lists a directive or fresh key that they were learned
    /// under, counter and time begin again at the root's own time, which the offline keys vouch for; the epoch stays.
    /// The root is persisted first and this is pure, so a crash between the two records changes nothing.
    /// </summary>
    public static Floors Under(Floors floors, Root root)
    {
        if (floors.RootVersion == root.Version) return floors;
        var online = OnlineKeys(root);
        var isReplaced = floors.OnlineKeyIds.Except(online, StringComparer.Ordinal).Any();
        return floors with
        {
            RootVersion = root.Version,
            OnlineKeyIds = online,
            Counter = isReplaced ? 0 : floors.Counter,
            Time = isReplaced ? root.Issued : Later(floors.Time, root.Issued),
            Checksum = null,
        };
    }

    /// <summary>After a directive was accepted.</summary>
    public static Floors Raise(Floors floors, Directive directive) => floors with
    {
        Counter = Math.Max(floors.Counter, directive.Counter),
        Time = Later(floors.Time, directive.Issued),
        Checksum = null,
    };

    /// <summary>After a fresh document was accepted. Its counter raises nothing: the directive that it speaks of may still come.</summary>
    public static Floors Raise(Floors floors, Fresh fresh) => floors with { Time = Later(floors.Time, fresh.Time), Checksum = null };

    /// <summary>After a release was committed.</summary>
    public static Floors RaiseEpoch(Floors floors, int securityEpoch) => floors with { SecurityEpoch = Math.Max(floors.SecurityEpoch, securityEpoch), Checksum = null };

    private static List<string> OnlineKeys(Root root) =>
        [.. root.Roles.Directive.KeyIds.Union(root.Roles.Fresh.KeyIds, StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
