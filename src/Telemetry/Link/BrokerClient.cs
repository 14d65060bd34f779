using MQTTnet;

namespace Dunlin.Telemetry.Link;

/// <summary>
/// Owns one client of MQTTnet. A connection that breaks is taken down by the client itself, in the background; a disposal
/// in that moment makes MQTTnet 5.2 cancel what it has just disposed of and throw, after all is released.
/// </summary>
public sealed class BrokerClient : IDisposable
{
    /// <summary>The client, not yet connected.</summary>
    public IMqttClient Mqtt { get; } = new MqttClientFactory().CreateMqttClient();

    /// <summary>Closes what is open; never throws, and may be called at any time.</summary>
    public void Dispose()
    {
        try
        {
            Mqtt.Dispose();
        }
        catch (ObjectDisposedException)
        {
            // By the client's own end: see above.
        }
    }
}
