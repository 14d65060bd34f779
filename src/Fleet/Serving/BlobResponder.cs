using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Dunlin.Contracts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Packets;

namespace Dunlin.Fleet.Serving;

/// <summary>
/// Answers <c>blob</c> requests with pieces of published blobs, and of nothing else. Bounded: each device has its own
/// short queue and allowance, so that one that asks too much only slows itself down. Thread-safe.
/// </summary>
internal sealed partial class BlobResponder(
    string fleet, Func<Digest, long?> sizeOfPublished, PublishedBlobs store, Func<MqttApplicationMessage, CancellationToken, Task<bool>> publish, TimeProvider time, ILogger logger)
{
    public const string UnknownError = "blob.unknown", RangeError = "blob.range";

    private const int WorkerCount = 16, MaximumCorrelationByteCount = 64, MaximumRequestByteCount = 1024, MaximumDeviceCount = 100_000;
    private const uint ExpirySeconds = 60;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, BlobQueue> _queues = [];
    private readonly Channel<BlobQueue> _ready = Channel.CreateBounded<BlobQueue>(MaximumDeviceCount);

    /// <summary>Takes a request, or drops one that makes no sense or finds a full queue; never blocks, never throws.</summary>
    public void Take(string device, ReadOnlyMemory<byte> payload, byte[]? correlation)
    {
        if (!TryRead(payload.Span, out var request) || correlation?.Length > MaximumCorrelationByteCount) return;
        lock (_gate)
        {
            if (!_queues.TryGetValue(device, out var queue))
            {
                if (_queues.Count >= MaximumDeviceCount) Forget();
                if (_queues.Count < MaximumDeviceCount) queue = _queues[device] = new BlobQueue(device, time.GetTimestamp());
            }

            var wasEmpty = queue?.IsEmpty ?? false;
            if (queue is not null && queue.TryAdd(new PendingBlob(device, request, correlation)) && wasEmpty) _ready.Writer.TryWrite(queue);
        }
    }

    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, WorkerCount).Select(_ => WorkAsync(cancellationToken)));

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        await foreach (var queue in _ready.Reader.ReadAllAsync(cancellationToken))
        {
            PendingBlob pending;
            TimeSpan wait;
            bool isTaken;
            lock (_gate)
            {
                isTaken = queue.TryTake(time.GetTimestamp(), time, out pending, out wait);
                if (isTaken && !queue.IsEmpty) _ready.Writer.TryWrite(queue);
            }

            if (isTaken) await TryAnswerAsync(pending, cancellationToken);
            else _ = ReturnAsync(queue, wait, cancellationToken);
        }
    }

    private async Task ReturnAsync(BlobQueue queue, TimeSpan wait, CancellationToken cancellationToken)
    {
        await Task.Delay(wait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ready.Writer.TryWrite(queue);
    }

    // Who gets no answer asks again.
    private async Task TryAnswerAsync(PendingBlob pending, CancellationToken cancellationToken)
    {
        try
        {
            await AnswerAsync(pending, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogFault(Failures.BugOf(e), pending.Device, Failures.Sentence(e));
        }
    }

    private async Task AnswerAsync(PendingBlob pending, CancellationToken cancellationToken)
    {
        var request = pending.Request;
        var (bytes, error) = Find(request);
        List<MqttUserProperty> properties = [Property("digest", request.Digest.ToString()), Property("offset", request.Offset.ToString(CultureInfo.InvariantCulture))];
        if (error is not null) properties.Add(Property("error", error));
        var message = new MqttApplicationMessage
        {
            Topic = new Topics(fleet, pending.Device).BlobData,
            Payload = new ReadOnlySequence<byte>(bytes),
            CorrelationData = pending.Correlation,
            MessageExpiryInterval = ExpirySeconds,
            UserProperties = properties,
        };
        await publish(message, cancellationToken);
    }

    private (byte[] Bytes, string? Error) Find(BlobRequest request)
    {
        if (sizeOfPublished(request.Digest) is not { } size) return ([], UnknownError);
        if (request.Length is < 1 or > BlobRequest.MaximumLength || request.Offset < 0 || request.Offset >= size) return ([], RangeError);
        return store.Read(request.Digest, request.Offset, (int)Math.Min(request.Length, size - request.Offset)) is { } bytes ? (bytes, null) : ([], UnknownError);
    }

    private static MqttUserProperty Property(string name, string value) => new(name, Encoding.UTF8.GetBytes(value));

    private void Forget()
    {
        var now = time.GetTimestamp();
        foreach (var queue in _queues.Values.Where(queue => queue.IsIdle(now, time)).ToList()) _queues.Remove(queue.Device);
    }

    private static bool TryRead(ReadOnlySpan<byte> payload, out BlobRequest request)
    {
        request = null!;
        if (payload.Length > MaximumRequestByteCount) return false;
        try
        {
            request = JsonSerializer.Deserialize(payload, MessageJson.Default.BlobRequest)!;
            return request is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A piece of a blob that {Device} asked for was not sent: {Sentence}")]
    private partial void LogFault(Exception? bug, string device, string sentence);
}
