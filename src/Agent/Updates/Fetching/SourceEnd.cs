namespace Dunlin.Agent.Updates.Fetching;

/// <summary>How one request to a source ended.</summary>
internal enum SourceEndKind
{
    /// <summary>All that was asked for has come; not all of it need be right.</summary>
    Complete = 1,

    /// <summary>The connection broke or never came about, or the source is overloaded: may pass.</summary>
    Broken = 2,

    TooSlow = 3,

    /// <summary>Wrong chunks in a row.</summary>
    BadContent = 4,

    /// <summary>It answers otherwise than the protocol says: another length, another range.</summary>
    Misbehaved = 5,

    NotFound = 6,
    Unauthorized = 7,
    HostNotAllowed = 8,
}

/// <param name="Kind">What happened.</param>
/// <param name="Detail">In a sentence without secrets; empty for <see cref="SourceEndKind.Complete"/>.</param>
internal readonly record struct SourceEnd(SourceEndKind Kind, string Detail)
{
    public static SourceEnd Complete { get; } = new(SourceEndKind.Complete, "");
}
