using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using MQTTnet;

namespace Dunlin.Telemetry.Link;

/// <summary>Brings messages to their handlers. Nothing that a broker sends or a handler does comes out as an exception.</summary>
internal sealed partial class MessageRouter(ILogger logger)
{
    private const int LoggedTopicCount = 64;
    private readonly ConcurrentDictionary<string, bool> _logged = new();
    private ImmutableArray<(string Filter, MessageHandler Handler)> _routes = [];

    public ImmutableArray<string> Filters => [.. _routes.Select(route => route.Filter).Distinct()];

    public void Add(string filter, MessageHandler handler) => ImmutableInterlocked.Update(ref _routes, routes => routes.Add((filter, handler)));

    public async Task HandleAsync(MqttApplicationMessageReceivedEventArgs arrival)
    {
        var topic = arrival.ApplicationMessage.Topic ?? "";
        try
        {
            if (logger.IsEnabled(LogLevel.Debug))
            {
                var shown = Printable(topic);
                LogReceived(arrival.ApplicationMessage.Payload.Length, shown);
            }

            if (!await RouteAsync(arrival.ApplicationMessage, topic) && ShouldLog(topic)) LogGarbage(Printable(topic));
        }
        // MQTTnet never acknowledges after a handler has thrown, and at Receive Maximum delivery then stops for good.
        catch (Exception e)
        {
            if (ShouldLog(topic)) LogHandlerFailed(e, Printable(topic));
        }
    }

    private async ValueTask<bool> RouteAsync(MqttApplicationMessage message, string topic)
    {
        if (message.Payload.Length > MqttLink.MaximumPayloadByteCount) return false;
        var isKnown = false;
        var isGood = true;
        IncomingMessage? incoming = null;
        foreach (var (filter, handler) in _routes)
        {
            if (MqttTopicFilterComparer.Compare(topic, filter) != MqttTopicFilterCompareResult.IsMatch) continue;
            isKnown = true;
            incoming ??= Convert(message, topic);
            isGood &= await handler(incoming);
        }

        return isKnown && isGood;
    }

    private static IncomingMessage Convert(MqttApplicationMessage message, string topic) => new()
    {
        Topic = topic,
        Payload = message.Payload.IsSingleSegment ? message.Payload.First : message.Payload.ToArray(),
        IsRetained = message.Retain,
        CorrelationData = message.CorrelationData ?? [],
        UserProperties = message.UserProperties is { Count: > 0 } properties
            ? [.. properties.Select(p => KeyValuePair.Create(p.Name, System.Text.Encoding.UTF8.GetString(p.ValueBuffer.Span)))]
            : [],
    };

    private bool ShouldLog(string topic) => _logged.Count < LoggedTopicCount && _logged.TryAdd(topic, true);

    private static string Printable(string topic)
    {
        var clipped = topic.Length <= 200 ? topic : topic[..200] + "…";
        return string.Concat(clipped.Select(c => char.IsControl(c) ? '?' : c));
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Received {ByteCount} bytes on {Topic}", SkipEnabledCheck = true)]
    private partial void LogReceived(long byteCount, string topic);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Garbage on {Topic}: ignored, as further garbage there is without a word")]
    private partial void LogGarbage(string topic);

    [LoggerMessage(Level = LogLevel.Error, Message = "The handler of {Topic} failed; the message is lost; further failures on it are not logged")]
    private partial void LogHandlerFailed(Exception failure, string topic);
}
