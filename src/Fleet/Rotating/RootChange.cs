using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Signing;

namespace Dunlin.Fleet.Rotating;

/// <summary>What the next root changes; everything else stays as it is.</summary>
internal sealed record RootChange
{
    /// <summary>Roles whose keys are all replaced by as many new ones.</summary>
    public IReadOnlyList<SigningRole> Replaced { get; init; } = [];

    /// <summary>Public keys to add to a role.</summary>
    public IReadOnlyList<(SigningRole Role, TrustedKey Key, string KeyId)> Added { get; init; } = [];

    /// <summary>Ids, or their beginnings, of keys that no role may use any more.</summary>
    public IReadOnlyList<string> Removed { get; init; } = [];

    public IReadOnlyDictionary<SigningRole, int> Thresholds { get; init; } = new Dictionary<SigningRole, int>();

    /// <summary>Null: as long as the present root had when it was issued.</summary>
    public TimeSpan? Validity { get; init; }

    public bool IsEmpty => Replaced.Count + Added.Count + Removed.Count + Thresholds.Count == 0 && Validity is null;

    /// <summary>The next root.</summary>
    /// <param name="now">The present one.</param>
    /// <param name="made">The new keys of replaced roles.</param>
    /// <param name="time">When it is issued.</param>
    /// <exception cref="FleetException">A key to remove is unknown or ambiguous.</exception>
    /// <exception cref="Contracts.Documents.DocumentException">It breaks a rule of roots; raised when it is written.</exception>
    public Root Apply(Root now, IReadOnlyDictionary<SigningRole, IReadOnlyList<SigningKey>> made, DateTimeOffset time)
    {
        var removed = Removed.Select(id => Resolve(id, now)).ToHashSet(StringComparer.Ordinal);
        var keys = now.Keys.ToDictionary(pair => pair.Key, pair => pair.Value);
        foreach (var key in made.Values.SelectMany(ring => ring)) keys[key.KeyId] = key.Trusted;
        foreach (var added in Added) keys[added.KeyId] = added.Key;
        var roles = new Roles { Root = Next(SigningRole.Root), Release = Next(SigningRole.Release), Directive = Next(SigningRole.Directive), Fresh = Next(SigningRole.Fresh) };
        var used = RoleNames.All.SelectMany(role => RoleNames.Of(role, now with { Roles = roles }).KeyIds).ToHashSet(StringComparer.Ordinal);
        return now with
        {
            Version = now.Version + 1,
            Issued = time,
            Expires = time + (Validity ?? (now.Expires - now.Issued)),
            Keys = keys.Where(pair => used.Contains(pair.Key)).ToDictionary(pair => pair.Key, pair => pair.Value),
            Roles = roles,
        };

        Role Next(SigningRole role)
        {
            var old = RoleNames.Of(role, now);
            // Where the directive keys sign the beacon, too, they are replaced there as well, and the rest follows them unless 'fresh' was named.
            var isShared = role == SigningRole.Fresh && now.Roles.Fresh.KeyIds.SequenceEqual(now.Roles.Directive.KeyIds) && !Replaced.Contains(SigningRole.Fresh);
            var source = isShared && !Added.Any(key => key.Role == SigningRole.Fresh) && !Thresholds.ContainsKey(SigningRole.Fresh) ? SigningRole.Directive : role;
            var ids = made.TryGetValue(isShared ? SigningRole.Directive : role, out var fresh) ? fresh.Select(key => key.KeyId) : old.KeyIds.Where(id => !removed.Contains(id));
            var added = Added.Where(key => key.Role == source).Select(key => key.KeyId);
            return new Role { Threshold = Thresholds.TryGetValue(source, out var threshold) ? threshold : old.Threshold, KeyIds = [.. ids.Concat(added).Distinct()] };
        }
    }

    private static string Resolve(string id, Root root)
    {
        var found = root.Keys.Keys.Where(key => key.StartsWith(id, StringComparison.Ordinal)).ToList();
        return found.Count == 1
            ? found[0]
            : throw new FleetException(ExitCodes.InputMissing, $"{(found.Count == 0 ? "No key" : "More than one key")} of root {root.Version} has an id that begins with '{id}'; 'dunlin-fleet keys show' lists them.");
    }
}
