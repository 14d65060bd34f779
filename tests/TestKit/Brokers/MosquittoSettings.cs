namespace Dunlin.TestKit.Brokers;

/// <summary>How a test's Mosquitto is configured. The default lets everybody in over plain TCP.</summary>
public sealed record MosquittoSettings
{
    /// <summary>User names with passwords; null: anonymous clients are let in.</summary>
    public IReadOnlyDictionary<string, string>? Passwords { get; init; }

    /// <summary>TLS with mandatory client certificates whose CN is the user name; null: plain TCP.</summary>
    public TestPki? Pki { get; init; }

    /// <summary>An ACL file's text, for example <see cref="DocumentedAcl"/>; null: everything is allowed.</summary>
    public string? Acl { get; init; }

    /// <summary>Sessions and retained messages survive <see cref="MosquittoBroker.RestartAsync"/>.</summary>
    public bool Persistent { get; init; }

    /// <summary>The whole configuration, given the port, instead of one made of the other settings; logging is added.</summary>
    public Func<int, string>? ConfigurationOf { get; init; }

    /// <summary>Each packet is a line of <see cref="MosquittoBroker.Log"/>, which grows with them.</summary>
    public bool LogsPackets { get; init; } = true;

    /// <summary>As whom it runs.</summary>
    public string User { get; init; } = "root";

    /// <summary>More lines for the configuration file.</summary>
    public string Extra { get; init; } = "";

    /// <summary>The access list that docs/topics.md recommends, for a fleet of this name.</summary>
    public static string DocumentedAcl(string fleet)
    {
        var page = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", "topics.md"));
        var begin = page.IndexOf("\nuser operator\n", StringComparison.Ordinal) + 1;
        return page[begin..page.IndexOf("```", begin, StringComparison.Ordinal)].Replace("/default/", $"/{fleet}/", StringComparison.Ordinal);
    }
}
