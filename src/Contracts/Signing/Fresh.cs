using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Signing;

/// <summary>The hourly beacon: proves that the device is not cut off from newer directives, and carries a signed time.</summary>
public sealed record Fresh
{
    public const string CurrentSchema = "dunlin.fresh.v1";

    /// <summary>Of the payload of a fresh envelope.</summary>
    public static DocumentFormat<Fresh> Format { get; } = new("fresh document", 16 * 1024, StrictJson.Default.Fresh, FreshRules.Check);

    public required string Schema { get; init; }
    public required string Fleet { get; init; }
    public required string Device { get; init; }
    public required DateTimeOffset Time { get; init; }

    /// <summary>The highest counter issued to this device; 0 before the first directive.</summary>
    public required long Counter { get; init; }

    public required DateTimeOffset Expires { get; init; }
}
