using System.Text.Json;

namespace Dunlin.Contracts.Messages;

/// <summary>Topic <c>command/{name}</c>: <c>ping</c> and <c>race</c>; the payload may be empty.</summary>
public sealed record Command
{
    public const string Ping = "ping";
    public const string Race = "race";

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

    /// <summary>A code where it is not ok: <c>command.unknown</c>, <c>command.rate-limited</c>, <c>command.invalid</c>, <c>race.running</c>.</summary>
    public string? Code { get; init; }

    public string? Detail { get; init; }
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
