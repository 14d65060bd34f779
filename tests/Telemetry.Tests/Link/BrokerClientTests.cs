using System.Reflection;
using Dunlin.Telemetry.Link;
using MQTTnet;

namespace Dunlin.Telemetry.Tests.Link;

public sealed class BrokerClientTests
{
    [Fact]
    public void ADisposalWhileTheClientTakesItsConnectionDownThrowsNothing()
    {
        var own = new BrokerClient();
        // The client's own end has disposed of this source and not yet forgotten it: a moment that no test can wait for.
        using var alive = new CancellationTokenSource();
        alive.Dispose();
        var field = typeof(MqttClient).GetField("_mqttClientAlive", BindingFlags.Instance | BindingFlags.NonPublic);
        Assert.NotNull(field);
        field.SetValue(own.Mqtt, alive);
        own.Dispose();
        Assert.Null(field.GetValue(own.Mqtt));
    }
}
