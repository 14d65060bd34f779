using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.Brokers;

namespace Dunlin.Fleet.Tests;

/// <summary>The device's side of a push, as far as the broker sees it: reads directives as an agent does, and says how they end.</summary>
internal sealed class FieldDevice : IAsyncDisposable
{
    private readonly MqttProbe _probe;
    private readonly Topics _topics;
    private int _sequence;

    internal FieldDevice(MqttProbe probe, Topics topics) => (_probe, _topics) = (probe, topics);

    public string Id => _topics.Device;

    public Topics Topics => _topics;

    public MqttProbe Probe => _probe;

    /// <summary>Directives so far, the retained one first.</summary>
    public IReadOnlyList<(Directive Directive, DsseEnvelope Envelope)> Directives =>
        [.. _probe.Messages.Where(message => message.Topic == _topics.Desired && message.Payload.Length > 0).Select(Read)];

    public static async Task<FieldDevice> ConnectAsync(MosquittoBroker broker, string id, string fleet = "default")
    {
        var topics = new Topics(fleet, id);
        return new FieldDevice(await MqttProbe.ConnectAsync(broker, topics.Desired, topics.Fresh, topics.Root, topics.BlobData), topics);
    }

    /// <summary>Waits for a directive with at least this counter.</summary>
    public async Task<(Directive Directive, DsseEnvelope Envelope)> NextAsync(long counter = 1)
    {
        var message = await _probe.NextAsync(_topics.Desired, message => message.Payload.Length > 0 && Read(message).Directive.Counter >= counter);
        return Read(message);
    }

    public Task ReportAsync(UpdateState state, Digest directive, string? reason = null)
    {
        var reported = new Reported
        {
            Schema = Reported.CurrentSchema, BootId = "boot", Sequence = ++_sequence, Time = TimeProvider.System.GetUtcNow(), Reason = "Just so.",
            Update = new ReportedUpdate(state, directive, null, reason), WorkerRestartCount = 0, Problems = [],
            Camera = new CameraHealth { Camera = "folder", State = "ok", StallCount = 0, ReconnectCount = 0, CorruptCount = 0 },
        };
        return _probe.PublishAsync(_topics.Reported, JsonSerializer.SerializeToUtf8Bytes(reported, MessageJson.Default.Reported), retain: true);
    }

    public Task EndAsync(UpdateState result, (Directive Directive, DsseEnvelope Envelope) directive, string? reason = null, string? detail = null)
    {
        var outcome = new Outcome
        {
            Schema = Outcome.CurrentSchema, BootId = "boot", Sequence = ++_sequence, Time = TimeProvider.System.GetUtcNow(),
            Directive = Digest.Of(directive.Envelope.Payload.Span), Release = directive.Directive.Release, Result = result, Reason = reason, Detail = detail,
        };
        return _probe.PublishAsync(_topics.Outcome, JsonSerializer.SerializeToUtf8Bytes(outcome, MessageJson.Default.Outcome));
    }

    /// <summary>Plays a whole update.</summary>
    public async Task PlayAsync(UpdateState result, long counter = 1, string? reason = null)
    {
        var directive = await NextAsync(counter);
        var digest = Digest.Of(directive.Envelope.Payload.Span);
        foreach (var state in (UpdateState[])[UpdateState.Received, UpdateState.Fetching, UpdateState.Trial]) await ReportAsync(state, digest);
        await EndAsync(result, directive, reason);
    }

    /// <summary>Asks for a piece of a blob, and gives the answer.</summary>
    public async Task<(byte[] Bytes, IReadOnlyDictionary<string, string> Properties)> AskAsync(Digest digest, long offset, int length)
    {
        var correlation = Guid.NewGuid().ToByteArray();
        var request = new BlobRequest { Digest = digest, Offset = offset, Length = length };
        await _probe.PublishAsync(_topics.Blob, JsonSerializer.SerializeToUtf8Bytes(request, MessageJson.Default.BlobRequest), correlation: correlation);
        var answer = await _probe.NextAsync(_topics.BlobData, message => message.Correlation?.SequenceEqual(correlation) == true);
        return (answer.Payload, answer.UserProperties);
    }

    /// <summary>As above; null if nobody answers in time.</summary>
    public async Task<byte[]?> TryAskAsync(Digest digest, long offset, int length, TimeSpan patience)
    {
        var asking = AskAsync(digest, offset, length);
        return await Task.WhenAny(asking, Task.Delay(patience)) == asking ? (await asking).Bytes : null;
    }

    public ValueTask DisposeAsync() => _probe.DisposeAsync();

    private static (Directive Directive, DsseEnvelope Envelope) Read(ProbedMessage message)
    {
        var envelope = DsseEnvelope.Format.Read(message.Payload).GetOrThrow();
        return (Directive.Format.Read(envelope.Payload.Span).GetOrThrow(), envelope);
    }
}
