using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Tests.Enrolment;
using Dunlin.Fleet.Tests.Watching;
using Dunlin.TestKit.Brokers;

namespace Dunlin.Fleet.Tests.Commanding;

/// <summary>The device's side of commands, as far as the broker sees it: says that it is there, and answers as it is told.</summary>
internal sealed class AnsweringDevice : IAsyncDisposable
{
    private readonly MqttProbe _probe;
    private int _sequence;

    private AnsweringDevice(MqttProbe probe, Topics topics) => (_probe, Topics) = (probe, topics);

    public Topics Topics { get; }

    public MqttProbe Probe => _probe;

    /// <param name="broker">Where to.</param>
    /// <param name="status">Retained; null: none.</param>
    /// <param name="id">Of the device.</param>
    public static async Task<AnsweringDevice> ConnectAsync(MosquittoBroker broker, DeviceStatus? status, string id = "belt-1")
    {
        var topics = new Topics("default", id);
        return await BeginAsync(await MqttProbe.ConnectAsync(broker, topics.Commands), topics, status);
    }

    public static Task<AnsweringDevice> ConnectAsync(MosquittoBroker broker) => ConnectAsync(broker, Samples.Status(DeviceState.Online));

    /// <summary>With a certificate, as the site's access list wants it.</summary>
    public static async Task<AnsweringDevice> ConnectAsync(SecureSite site, string id)
    {
        var topics = new Topics("default", id);
        return await BeginAsync(await site.ProbeAsync(id, _ => { }, topics.Commands), topics, Samples.Status(DeviceState.Online));
    }

    /// <summary>Waits for a command, and says yes.</summary>
    public Task<ProbedMessage> AnswerAsync(string name, JsonElement? payload = null) => AnswerAsync(name, id => Reply(name, id) with { Payload = payload });

    public async Task<ProbedMessage> AnswerAsync(string name, Func<string, Reply> reply)
    {
        var asked = await _probe.NextAsync(Topics.Command(name));
        await ReplyAsync(reply(IdOf(asked)), asked.Correlation);
        return asked;
    }

    public Reply Reply(string name, string? id) => new()
    {
        Schema = Contracts.Messages.Reply.CurrentSchema, BootId = "b1", Sequence = ++_sequence, Time = TimeProvider.System.GetUtcNow(), Command = name, Id = id, Ok = true,
    };

    public Task ReplyAsync(Reply reply, byte[]? correlation) =>
        _probe.PublishAsync(Topics.Reply, JsonSerializer.SerializeToUtf8Bytes(reply, MessageJson.Default.Reply), correlation: correlation);

    public static (DsseEnvelope Envelope, SignedCommand Command) Read(ProbedMessage asked)
    {
        var envelope = DsseEnvelope.Format.Read(asked.Payload).GetOrThrow();
        return (envelope, SignedCommand.Format.Read(envelope.Payload.Span).GetOrThrow());
    }

    public ValueTask DisposeAsync() => _probe.DisposeAsync();

    private static async Task<AnsweringDevice> BeginAsync(MqttProbe probe, Topics topics, DeviceStatus? status)
    {
        var device = new AnsweringDevice(probe, topics);
        if (status is not null) await device._probe.PublishAsync(topics.Status, JsonSerializer.SerializeToUtf8Bytes(status, MessageJson.Default.DeviceStatus), retain: true);
        return device;
    }

    private static string IdOf(ProbedMessage asked) => asked.Json.TryGetProperty("id", out var id) ? id.GetString()! : Read(asked).Command.Nonce;
}
