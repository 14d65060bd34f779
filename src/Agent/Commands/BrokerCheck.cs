using Dunlin.Agent.Configuration;
using Dunlin.Agent.Updates;
using Dunlin.Bundles.State;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Link;
using Microsoft.Extensions.Logging.Abstractions;
using MQTTnet;

namespace Dunlin.Agent.Commands;

/// <summary>Connects to the broker once, as the service would.</summary>
internal static class BrokerCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>What the service would take for the time: a board without a clock boots in 1970, where no certificate is valid.</summary>
    /// <param name="device">Whose state it is.</param>
    /// <param name="files">Hold the latest signed time; only read.</param>
    /// <param name="time">The board's own clock.</param>
    public static TrustedClock ClockOf(DeviceOptions device, StateFiles files, TimeProvider time)
    {
        var clock = TrustedClock.OfBoard(time);
        new TrustState(files, new Topics(device.Fleet, device.Id), clock, NullLogger<TrustState>.Instance).Load();
        return clock;
    }

    /// <returns>Why the broker does not let the client in and what to do, in a sentence; null if it does.</returns>
    public static async Task<string?> ProblemAsync(MqttOptions mqtt, string clientId, TrustedClock clock, CancellationToken cancellationToken)
    {
        using var client = new BrokerClient(TimeProvider.System);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            var connection = OperatorConnection.Options(mqtt, LinkWords.Agent, clientId, () => clock.ForTls);
            // A broker that takes the certificate's name for the client id gives us the running agent's session: it stays, and so does what waits in it.
            (connection.CleanSession, connection.SessionExpiryInterval) = (false, (uint)mqtt.SessionExpirySeconds);
            client.MessageReceived += LeaveAsync;
            var result = await client.ConnectAsync(connection, patience.Token);
            if (result.ResultCode != MqttClientConnectResultCode.Success) return OperatorConnection.Describe(mqtt, LinkWords.Agent, clientId, result);
            await client.DisconnectAsync(cancellationToken);
            return null;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return OperatorConnection.Describe(mqtt, LinkWords.Agent, clientId, e);
        }
    }

    private static Task LeaveAsync(MqttApplicationMessageReceivedEventArgs message)
    {
        message.AutoAcknowledge = false;
        return Task.CompletedTask;
    }
}
