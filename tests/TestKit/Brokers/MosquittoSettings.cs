namespace Dunlin.TestKit.Brokers;

/// <summary>How a test's Mosquitto is configured. The default lets everybody in over plain TCP.</summary>
public sealed record MosquittoSettings
{
    /// <summary>User names with passwords; null: anonymous clients are let in.</summary>
    public IReadOnlyDictionary<string, string>? Passwords { get; init; }

    /// <summary>TLS with mandatory client certificates whose CN is the user name; null: plain TCP.</summary>
    public TestPki? Pki { get; init; }

    /// <summary>An ACL file's text, for example <see cref="DeviceAcl"/>; null: everything is allowed.</summary>
    public string? Acl { get; init; }

    /// <summary>Sessions and retained messages survive <see cref="MosquittoBroker.RestartAsync"/>.</summary>
    public bool Persistent { get; init; }

    /// <summary>The whole configuration, given the port, instead of one made of the other settings; logging is added.</summary>
    public Func<int, string>? ConfigurationOf { get; init; }

    /// <summary>More lines for the configuration file.</summary>
    public string Extra { get; init; } = "";

    /// <summary>The ACL of docs/topics.md for a fleet: each device its own subtree, the user <paramref name="operatorName"/> all.</summary>
    public static string DeviceAcl(string fleet, string operatorName = "operator") => $"""
        user {operatorName}
        topic readwrite dunlin/v1/{fleet}/#

        pattern read dunlin/v1/{fleet}/%u/desired
        pattern read dunlin/v1/{fleet}/%u/fresh
        pattern read dunlin/v1/{fleet}/%u/command/#
        pattern read dunlin/v1/{fleet}/%u/blob/data
        pattern read dunlin/v1/{fleet}/root
        pattern write dunlin/v1/{fleet}/%u/status
        pattern write dunlin/v1/{fleet}/%u/reported
        pattern write dunlin/v1/{fleet}/%u/race
        pattern write dunlin/v1/{fleet}/%u/outcome
        pattern write dunlin/v1/{fleet}/%u/telemetry
        pattern write dunlin/v1/{fleet}/%u/result
        pattern write dunlin/v1/{fleet}/%u/reply
        pattern write dunlin/v1/{fleet}/%u/blob

        """;
}
