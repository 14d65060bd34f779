using System.Reflection;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Time.Testing;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Protocol;

namespace Dunlin.Telemetry.Tests.Link;

/// <summary>Moments in which MQTTnet's client takes its own connection down, which no test can wait for: they are set up by hand.</summary>
public sealed class BrokerClientTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void ADisposalWhileTheClientTakesItsConnectionDownThrowsNothing()
    {
        var client = new BrokerClient(TimeProvider.System);
        // Disposed of and not yet forgotten.
        using var alive = new CancellationTokenSource();
        alive.Dispose();
        var field = Field("_mqttClientAlive");
        field.SetValue(Inner(client), alive);
        client.Dispose();
        Assert.Null(field.GetValue(Inner(client)));
    }

    [Theory]
    [InlineData("_packetDispatcher", MqttQualityOfServiceLevel.AtLeastOnce)]
    [InlineData("_adapter", MqttQualityOfServiceLevel.AtLeastOnce)]
    [InlineData("_adapter", MqttQualityOfServiceLevel.AtMostOnce)]
    public async Task APublicationWhileTheClientTakesItsConnectionDownFailsAsOnABrokenOne(string forgotten, MqttQualityOfServiceLevel quality)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        using var client = new BrokerClient(TimeProvider.System);
        await client.ConnectAsync(To(broker), Token);
        var field = Field(forgotten);
        var part = field.GetValue(Inner(client));
        field.SetValue(Inner(client), null);
        var message = new MqttApplicationMessage { Topic = "a", QualityOfServiceLevel = quality };
        Task publishing = quality == MqttQualityOfServiceLevel.AtMostOnce ? client.SendAsync(message) : client.PublishAsync(message, Token);
        await Assert.ThrowsAsync<MqttCommunicationException>(() => publishing);
        field.SetValue(Inner(client), part);
    }

    [Fact]
    public async Task APublicationWithoutAConnectionThrowsNothingUntilItIsAwaited()
    {
        using var client = new BrokerClient(TimeProvider.System);
        var publishing = client.SendAsync(new MqttApplicationMessage { Topic = "a" });
        await Assert.ThrowsAsync<MqttClientNotConnectedException>(() => publishing);
    }

    [Fact]
    public async Task AnEndThatTheClientMissesToSayIsSeen()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        using var client = new BrokerClient(TimeProvider.System);
        await client.ConnectAsync(To(broker), Token);
        var ending = client.WaitForEndAsync(Token);
        // As when its receiver waits for itself.
        Field("_connectionStatus").SetValue(Inner(client), (int)MqttClientConnectionStatus.Disconnecting);
        Assert.Null(await ending.WaitAsync(Eventually.Patience, Token));
    }

    [Fact]
    public async Task ACallThatIsNotAnsweredEndsWithinTheTimeoutOfTheOptions()
    {
        await using var broker = new EvilBroker(0, async (stream, token) =>
        {
            await stream.WriteAsync(EvilBroker.ConnectionAccepted, token);
            await Task.Delay(Timeout.Infinite, token);
        });
        var time = new FakeTimeProvider();
        using var client = new BrokerClient(time);
        var timeout = 2 * Eventually.Patience;
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", broker.Port).WithTimeout(timeout).Build(), Token);
        var subscribing = client.SubscribeAsync("a", Token);
        time.Advance(timeout);
        await Assert.ThrowsAsync<MqttCommunicationTimedOutException>(() => subscribing.WaitAsync(Eventually.Patience, Token));
    }

    private static MqttClientOptions To(MosquittoBroker broker) => new MqttClientOptionsBuilder().WithTcpServer(broker.Host, broker.Port).Build();

    private static object Inner(BrokerClient client) =>
        typeof(BrokerClient).GetField("_mqtt", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(client)!;

    private static FieldInfo Field(string name) =>
        typeof(MqttClient).GetField(name, BindingFlags.Instance | BindingFlags.NonPublic) ?? throw new MissingFieldException(nameof(MqttClient), name);
}
