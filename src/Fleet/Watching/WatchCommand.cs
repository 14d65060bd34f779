using System.CommandLine;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Link;
using Spectre.Console;

namespace Dunlin.Fleet.Watching;

/// <summary><c>dunlin-fleet watch</c>.</summary>
internal static class WatchCommand
{
    public static System.CommandLine.Command Create()
    {
        var broker = new Option<string>("--broker") { Description = "host or host:port; the port is 1883, with TLS 8883.", DefaultValueFactory = _ => "localhost" };
        var fleet = new Option<string>("--fleet") { Description = "The fleet to watch.", DefaultValueFactory = _ => "default" };
        var json = new Option<bool>("--json") { Description = "Print a line of JSON per message instead of the table." };
        var once = new Option<bool>("--once") { Description = "Wait for the first devices, print them once, and end." };
        var seconds = new Option<double>("--seconds") { Description = "With --once: how long to collect messages.", DefaultValueFactory = _ => 3 };
        var tls = new Option<bool>("--tls") { Description = "Encrypt, and check the broker's certificate." };
        var ca = new Option<string>("--ca") { Description = "PEM file of the authorities to trust; implies --tls.", DefaultValueFactory = _ => "" };
        var certificate = new Option<string>("--cert") { Description = "PEM client certificate; implies --tls.", DefaultValueFactory = _ => "" };
        var key = new Option<string>("--key") { Description = "PEM key of --cert.", DefaultValueFactory = _ => "" };
        var user = new Option<string>("--user") { Description = "User name.", DefaultValueFactory = _ => "" };
        var password = new Option<string>("--password-file") { Description = "File whose first line is the password.", DefaultValueFactory = _ => "" };
        fleet.Validators.Add(result =>
        {
            if (!DeviceName.IsValid(result.GetValueOrDefault<string>())) result.AddError($"--fleet must match {DeviceName.Rule}.");
        });
        broker.Validators.Add(result =>
        {
            if (!TryParseBroker(result.GetValueOrDefault<string>() ?? "", out _, out _)) result.AddError("--broker must be host or host:port with a port of 1 to 65535.");
        });
        var command = new System.CommandLine.Command("watch", "Shows all devices of a fleet: what runs, how fast, at what energy.")
        {
            broker, fleet, json, once, seconds, tls, ca, certificate, key, user, password,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(certificate) is { Length: > 0 } != result.GetValue(key) is { Length: > 0 }) result.AddError("--cert and --key go together.");
        });
        command.SetAction((parsed, cancellationToken) =>
        {
            _ = TryParseBroker(parsed.GetValue(broker)!, out var host, out var port);
            var options = new MqttOptions
            {
                Host = host, Port = port, CaFile = parsed.GetValue(ca)!, CertificateFile = parsed.GetValue(certificate)!, KeyFile = parsed.GetValue(key)!,
                UserName = parsed.GetValue(user)!, PasswordFile = parsed.GetValue(password)!,
            };
            options.Tls = parsed.GetValue(tls) || (options.CaFile + options.CertificateFile).Length > 0;
            var watch = new Watch(options, parsed.GetValue(fleet)!, AnsiConsole.Console, Console.Out, Console.Error, TimeProvider.System);
            return (parsed.GetValue(json), parsed.GetValue(once)) switch
            {
                (_, true) => watch.OnceAsync(TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(json), cancellationToken),
                (true, _) => watch.LinesAsync(isJson: true, cancellationToken),
                _ when Console.IsOutputRedirected => watch.LinesAsync(isJson: false, cancellationToken),
                _ => watch.LiveAsync(cancellationToken),
            };
        });
        return command;
    }

    internal static bool TryParseBroker(string text, out string host, out int port)
    {
        (host, port) = (text, 0);
        var colon = text.LastIndexOf(':');
        if (colon < 0 || text.EndsWith(']')) return text.Length > 0;
        host = text[..colon].Trim('[', ']');
        return host.Length > 0 && int.TryParse(text[(colon + 1)..], out port) && port is >= 1 and <= 65535;
    }
}
