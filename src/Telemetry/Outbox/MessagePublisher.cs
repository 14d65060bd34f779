using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Telemetry.Link;

namespace Dunlin.Telemetry.Outbox;

/// <summary>Puts each kind of message on its topic in its way (docs/topics.md). Never blocks, never fails for the network.</summary>
public sealed class MessagePublisher(MqttLink link, MessageOutbox outbox, LinkIdentity identity)
{
    /// <summary>Retained, QoS 1.</summary>
    public void Publish(Reported reported) => link.PublishRetained(identity.Topics.Reported, reported, MessageJson.Default.Reported);

    /// <summary>Retained, QoS 1.</summary>
    public void Publish(Verdict verdict) => link.PublishRetained(identity.Topics.Race, verdict, MessageJson.Default.Verdict);

    /// <summary>QoS 1 through the outbox, with an expiry.</summary>
    public void Publish(TelemetryWindow window) => outbox.Add(window);

    /// <inheritdoc cref="MessageOutbox.Add(Outcome, Action)"/>
    /// <remarks>QoS 1, never dropped; on disk when this returns, unless the disk is full.</remarks>
    public void Publish(Outcome outcome, Action settle) => outbox.Add(outcome, settle);

    /// <inheritdoc cref="MessageOutbox.Repeat"/>
    public void Repeat(Outcome outcome) => outbox.Repeat(outcome);

    /// <summary>Outcomes that the broker does not have yet.</summary>
    public long QueuedOutcomeCount => outbox.QueuedOutcomeCount;

    /// <summary>QoS 0; while there is no link, or a busy one, the newest waits and the others are dropped.</summary>
    public void Publish(Classification result) => link.PublishResult(result);
}
