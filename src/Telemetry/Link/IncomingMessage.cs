using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Dunlin.Telemetry.Link;

/// <summary>A message from the broker. The payload is valid while the handler runs.</summary>
public sealed record IncomingMessage
{
    public required string Topic { get; init; }

    /// <summary>At most <see cref="MqttLink.MaximumPayloadByteCount"/> bytes.</summary>
    public required ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>It lay on the broker when the subscription was made.</summary>
    public bool IsRetained { get; init; }

    public ReadOnlyMemory<byte> CorrelationData { get; init; }
    public IReadOnlyList<KeyValuePair<string, string>> UserProperties { get; init; } = [];

    /// <summary>False when the payload is not this JSON.</summary>
    public bool TryRead<T>(JsonTypeInfo<T> type, [NotNullWhen(true)] out T? value) where T : class
    {
        value = null;
        try
        {
            value = JsonSerializer.Deserialize(Payload.Span, type);
        }
        catch (JsonException)
        {
            return false;
        }

        return value is not null;
    }
}

/// <summary>
/// Takes one message; messages come one at a time. False says that the message was garbage, which is logged once a topic.
/// An exception is logged; the message is acknowledged in any case.
/// </summary>
public delegate ValueTask<bool> MessageHandler(IncomingMessage message);
