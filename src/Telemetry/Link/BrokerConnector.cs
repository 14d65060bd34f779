using System.Net;
using System.Net.Sockets;
using MQTTnet.Channel;

namespace Dunlin.Telemetry.Link;

/// <summary>Makes the connection to the broker: TCP, and TLS with our own trust on top.</summary>
internal sealed class BrokerConnector(MqttOptions options, LinkWords words, int maximumPacketByteCount, Func<DateTimeOffset> now) : IMqttClientStreamProvider
{
    public async Task<Stream> ConnectAsync(EndPoint brokerEndPoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(options.Host, options.EffectivePort, cancellationToken);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        var stream = new NetworkStream(socket, ownsSocket: true);
        var channel = options.Tls ? await new BrokerTrust(options, words, now).SecureAsync(stream, cancellationToken) : stream;
        return new PacketLimitStream(channel, maximumPacketByteCount);
    }
}
