using Dunlin.Contracts.Messages;
using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Dunlin.Telemetry.Link;

/// <summary>What the broker is asked to send, and what it refuses.</summary>
public sealed partial class MqttLink
{
    private readonly Refusals _refusals;

    /// <summary>Filters that the session at the broker lacks; null: all of them.</summary>
    private IReadOnlyList<string>? _missing;

    private async Task SubscribeAsync(BrokerClient client, CancellationToken stoppingToken)
    {
        var filters = (_missing ?? _router.Filters).Select(filter => new MqttTopicFilter
        {
            Topic = filter,
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
        }).ToList();
        if (filters.Count == 0) return;
        var result = await client.SubscribeAsync(new MqttClientSubscribeOptions { TopicFilters = filters }, stoppingToken);
        _missing = [.. result.Items.Where(item => !IsGranted(item)).Select(item => item.TopicFilter.Topic)];
    }

    private bool IsGranted(MqttClientSubscribeResultItem item)
    {
        var what = $"the subscription to {item.TopicFilter.Topic}";
        var isGranted = item.ResultCode <= MqttClientSubscribeResultCode.GrantedQoS2;
        if (isGranted) _refusals.Remove(what);
        else Refused(what, $"nothing sent there arrives ({item.ResultCode}); allow it in the broker's access list ({Topics.Page})");
        return isGranted;
    }

    /// <summary>What was refused may be allowed by now. On a connection that stands: should it break meanwhile, the loop finds out.</summary>
    /// <returns>False: status is among it.</returns>
    private async Task<bool> AskAgainAsync(BrokerClient client, CancellationToken stoppingToken)
    {
        _tick.Tick();
        _retained.Invalidate(_refusals.Has);
        try
        {
            if (_missing is { Count: > 0 }) await SubscribeAsync(client, stoppingToken);
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested && IsOfTheNetwork(e))
        {
            // It is asked again.
        }

        return !_refusals.Has(_identity.Topics.Status);
    }

    private bool Fits(BrokerClient client, MqttApplicationMessage message)
    {
        var problem = client.SizeProblem(message);
        if (problem is not null) Refused(message.Topic, problem);
        return problem is null;
    }

    /// <summary>As above, for what nobody acknowledges.</summary>
    private bool FitsAgain(BrokerClient client, MqttApplicationMessage message)
    {
        var fits = Fits(client, message);
        if (fits) _refusals.Remove(message.Topic);
        return fits;
    }

    private void Refused(string topic, MqttClientPublishReasonCode code) => Refused(topic, code switch
    {
        MqttClientPublishReasonCode.NotAuthorized => $"{code}; allow it in the broker's access list ({Topics.Page})",
        MqttClientPublishReasonCode.QuotaExceeded => $"{code}; it is sent again until the broker has room",
        _ => $"{code}; look into the broker's log",
    });

    private void Refused(string what, string reason)
    {
        if (_refusals.Add(what, reason)) LogRefused(what, reason);
    }
}
