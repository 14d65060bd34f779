using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Dunlin.Telemetry.Link;

/// <summary>What the broker is asked to send, and what it refuses.</summary>
public sealed partial class MqttLink
{
    /// <summary>Filters that the session at the broker lacks; null: all of them.</summary>
    private IReadOnlyList<string>? _missing;
    private string? _deafness;

    private async Task SubscribeAsync(BrokerClient client, CancellationToken stoppingToken)
    {
        var filters = (_missing ?? _router.Filters).Select(filter => new MqttTopicFilter
        {
            Topic = filter,
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
        }).ToList();
        if (filters.Count == 0) return;
        var result = await client.SubscribeAsync(new MqttClientSubscribeOptions { TopicFilters = filters }, stoppingToken);
        var refused = result.Items.Where(item => item.ResultCode > MqttClientSubscribeResultCode.GrantedQoS2).ToList();
        foreach (var item in refused) Refused(item.TopicFilter.Topic, item.ResultCode.ToString());
        _missing = [.. refused.Select(item => item.TopicFilter.Topic)];
        _deafness = _missing.Count == 0
            ? null
            : $"Broker {ConnectFailure.Address(_options)} refuses the subscription to {string.Join(", ", _missing)}, so that nothing sent there arrives; allow it in the broker's access list (docs/topics.md).";
    }

    /// <summary>On a connection that stands: should it break meanwhile, the loop finds out.</summary>
    private async Task SubscribeAgainAsync(BrokerClient client, CancellationToken stoppingToken)
    {
        _tick.Tick();
        try
        {
            await SubscribeAsync(client, stoppingToken);
            Report(true, State.Detail);
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested && IsOfTheNetwork(e))
        {
            // It is asked again.
        }
    }
}
