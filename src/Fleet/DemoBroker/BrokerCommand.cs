using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using MQTTnet.Server;

namespace Dunlin.Fleet.DemoBroker;

/// <summary><c>dunlin-fleet broker</c>: MQTTnet.Server, which has no flow control; for demo and development only.</summary>
internal static class BrokerCommand
{
    public static Command Create()
    {
        var port = new Option<int>("--port") { Description = "TCP port; 1883 is usual.", DefaultValueFactory = _ => 1883 };
        var bind = new Option<string>("--bind") { Description = "Address to listen on. Anybody who reaches it may connect.", DefaultValueFactory = _ => "127.0.0.1" };
        port.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 65535) result.AddError("--port must be 1 to 65535.");
        });
        bind.Validators.Add(result =>
        {
            if (!IPAddress.TryParse(result.GetValueOrDefault<string>(), out _)) result.AddError("--bind must be an IP address, for example 127.0.0.1.");
        });
        var command = new Command("broker", "Runs a small MQTT broker for demo and development (no passwords, no TLS, nothing kept).") { port, bind };
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(IPAddress.Parse(parsed.GetValue(bind)!), parsed.GetValue(port), Console.Out, Console.Error, cancellationToken));
        return command;
    }

    internal static async Task<int> RunAsync(IPAddress address, int port, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        var builder = new MqttServerOptionsBuilder().WithDefaultEndpoint().WithDefaultEndpointPort(port).WithMaxPendingMessagesPerClient(1000);
        builder = address.AddressFamily == AddressFamily.InterNetworkV6
            ? builder.WithDefaultEndpointBoundIPV6Address(address).WithDefaultEndpointBoundIPAddress(IPAddress.None)
            : builder.WithDefaultEndpointBoundIPAddress(address).WithDefaultEndpointBoundIPV6Address(IPAddress.None);
        using var server = new MqttServerFactory().CreateMqttServer(builder.Build());
        try
        {
            await server.StartAsync();
        }
        catch (SocketException e)
        {
            await errors.WriteLineAsync($"The broker cannot listen on {address}:{port} ({e.SocketErrorCode}); free the port, or choose another with --port.");
            return ExitCodes.Unavailable;
        }

        await output.WriteLineAsync($"MQTT broker on {address}:{port} (demo and development only). Ctrl-C stops it.");
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await server.StopAsync(new MqttServerStopOptions());
        return ExitCodes.Ok;
    }
}
