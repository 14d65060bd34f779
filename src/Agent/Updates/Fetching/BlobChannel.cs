using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Link;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>What became of a request for a chunk.</summary>
internal enum BlobAnswer
{
    Arrived = 1,

    /// <summary>The other side has no such blob.</summary>
    Unknown = 2,

    /// <summary>Nothing came in time, for other requests neither.</summary>
    Silence = 3,

    /// <summary>There is no link to the broker.</summary>
    NotSent = 4,

    /// <summary>The broker does not take requests from this device.</summary>
    Refused = 5,
}

/// <summary>
/// Chunks asked for on topic <c>blob</c> and answered on <c>blob/data</c>. An answer counts only for an open request: same correlation
/// data, digest, offset and length. Made before the link starts, since it subscribes.
/// </summary>
internal sealed class BlobChannel
{
    /// <summary>The user property of an answer that brings no bytes because the digest is of no published release.</summary>
    public const string ErrorProperty = "error";

    private const int CorrelationLength = 16;
    private const uint RequestExpirySeconds = 30;

    /// <summary>Answers that may overtake one; what has not come then is lost.</summary>
    private const int MaximumRenewals = 4;

    private readonly MqttLink _link;
    private readonly Topics _topics;
    private readonly ConcurrentDictionary<UInt128, Pending> _open = new();
    private int _heardCount;

    public BlobChannel(MqttLink link, LinkIdentity identity)
    {
        (_link, _topics) = (link, identity.Topics);
        link.Subscribe(_topics.BlobData, HandleAsync);
    }

    private sealed record Pending(BlobRequest Request, Memory<byte> Destination, TaskCompletionSource<BlobAnswer> Completion);

    /// <summary>Whether there is a link within the given time.</summary>
    public async Task<bool> IsConnectedWithinAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await _link.WaitConnectedAsync(cancellationToken).WaitAsync(patience, time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Asks for a piece of a chunk and waits for it, longer while the link brings others; when the task has ended, nobody writes to <paramref name="destination"/> any more.</summary>
    public async Task<BlobAnswer> AskAsync(BlobRequest request, Memory<byte> destination, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        var correlation = new byte[CorrelationLength];
        RandomNumberGenerator.Fill(correlation);
        var key = KeyOf(correlation);
        var pending = new Pending(request, destination, new TaskCompletionSource<BlobAnswer>(TaskCreationOptions.RunContinuationsAsynchronously));
        _open[key] = pending;
        var outcome = BlobAnswer.Silence;
        try
        {
            var payload = JsonSerializer.SerializeToUtf8Bytes(request, MessageJson.Default.BlobRequest);
            outcome = await _link.PublishAsync(_topics.Blob, payload, RequestExpirySeconds, correlation, cancellationToken) switch
            {
                Delivery.Acknowledged => await WaitAsync(pending, patience, time, cancellationToken),
                Delivery.Refused => BlobAnswer.Refused,
                _ => BlobAnswer.NotSent,
            };
        }
        catch (TimeoutException)
        {
            outcome = BlobAnswer.Silence;
        }
        finally
        {
            // Who takes the entry out may write: if the handler has, it is about to finish.
            if (!_open.TryRemove(key, out _)) outcome = await pending.Completion.Task;
        }
        return outcome;
    }

    private async Task<BlobAnswer> WaitAsync(Pending pending, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var renewals = 0; ; renewals++)
        {
            var heard = Volatile.Read(ref _heardCount);
            try
            {
                return await pending.Completion.Task.WaitAsync(patience, time, cancellationToken);
            }
            catch (TimeoutException) when (renewals < MaximumRenewals && heard != Volatile.Read(ref _heardCount))
            {
                // Somebody answers, and the link is slow: this answer waits behind the others.
            }
        }
    }

    private ValueTask<bool> HandleAsync(IncomingMessage message)
    {
        if (message.CorrelationData.Length != CorrelationLength) return ValueTask.FromResult(false);
        Interlocked.Increment(ref _heardCount);
        var key = KeyOf(message.CorrelationData.Span);
        // A repeated or late answer is no garbage.
        if (!_open.TryGetValue(key, out var pending)) return ValueTask.FromResult(true);
        if (Property(message, "digest") != pending.Request.Digest.ToString()
            || Property(message, "offset") != pending.Request.Offset.ToString(CultureInfo.InvariantCulture)) return ValueTask.FromResult(false);
        var isUnknown = Property(message, ErrorProperty) is not null;
        if (!isUnknown && message.Payload.Length != pending.Request.Length) return ValueTask.FromResult(false);
        if (!_open.TryRemove(key, out _)) return ValueTask.FromResult(true);
        if (!isUnknown) message.Payload.CopyTo(pending.Destination);
        pending.Completion.SetResult(isUnknown ? BlobAnswer.Unknown : BlobAnswer.Arrived);
        return ValueTask.FromResult(true);
    }

    private static UInt128 KeyOf(ReadOnlySpan<byte> correlation) => new(BitConverter.ToUInt64(correlation), BitConverter.ToUInt64(correlation[8..]));

    private static string? Property(IncomingMessage message, string name)
    {
        foreach (var (key, value) in message.UserProperties)
        {
            if (key == name) return value;
        }
        return null;
    }
}
