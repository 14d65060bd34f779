using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Messages;

/// <summary>Topic <c>command/{name}</c>: the payload of <c>ping</c> and <c>race</c>, which may be empty. The others take the envelope of a <see cref="Signing.SignedCommand"/>.</summary>
public sealed record Command
{
    public const string Ping = "ping";
    public const string Race = "race";
    public const string Snapshot = "snapshot";
    public const string Explain = "explain";
    public const string LogLevel = "log-level";

    /// <summary>Comes back in the reply; at most 64 characters. MQTT correlation data does as well.</summary>
    public string? Id { get; init; }
}

/// <summary>Topic <c>reply</c>.</summary>
public sealed record Reply
{
    public const string CurrentSchema = "dunlin.reply.v1";

    public required string Schema { get; init; }
    public required string BootId { get; init; }
    public required long Sequence { get; init; }
    public required DateTimeOffset Time { get; init; }
    public required string Command { get; init; }
    public string? Id { get; init; }
    public required bool Ok { get; init; }

    /// <summary>A code where it is not ok (docs/topics.md).</summary>
    public string? Code { get; init; }

    public string? Detail { get; init; }

    /// <summary>Of <c>race</c> a <see cref="Race.Verdict"/>, of <c>snapshot</c> a <see cref="Messages.Snapshot"/>, of <c>explain</c> an <see cref="Explanation"/>, of <c>log-level</c> a <see cref="LogLevelChange"/>.</summary>
    [JsonConverter(typeof(VerbatimConverter))]
    public JsonElement? Payload { get; init; }
}

/// <summary>Topic <c>blob</c>: a board that reaches only the broker asks for a chunk.</summary>
public sealed record BlobRequest
{
    public const int MaximumLength = 65536;

    public required Artifacts.Digest Digest { get; init; }
    public required long Offset { get; init; }

    /// <summary>Bytes, at most <see cref="MaximumLength"/>.</summary>
    public required int Length { get; init; }
}
