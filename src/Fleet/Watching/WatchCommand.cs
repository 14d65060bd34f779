using System.CommandLine;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Connecting;
using Spectre.Console;

namespace Dunlin.Fleet.Watching;

/// <summary><c>dunlin-fleet watch</c>.</summary>
internal static class WatchCommand
{
    public static System.CommandLine.Command Create()
    {
        var broker = new BrokerOptions();
        var keys = new Option<DirectoryInfo?>("--keys") { Description = "The fleet's key folder: with --tls, its authority and the operator's certificate in it are taken." };
        var fleet = new Option<string>("--fleet") { Description = "The fleet to watch.", DefaultValueFactory = _ => "default" };
        var json = new Option<bool>("--json") { Description = "Print a line of JSON per message instead of the table." };
        var once = new Option<bool>("--once") { Description = "Wait for the first devices, print them once, and end." };
        var seconds = new Option<double>("--seconds") { Description = "With --once: how long to collect messages.", DefaultValueFactory = _ => 3 };
        fleet.Validators.Add(result =>
        {
            if (!DeviceName.IsValid(result.GetValueOrDefault<string>())) result.AddError($"--fleet must match {DeviceName.Rule}.");
        });
        var command = new System.CommandLine.Command("watch", "Shows all devices of a fleet: what runs, how fast, at what energy.")
        {
            fleet, json, once, seconds, keys,
        };
        broker.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var watch = new Watch(broker.Of(parsed, parsed.GetValue(keys)?.FullName), parsed.GetValue(fleet)!, AnsiConsole.Console, StandardOutput.Open(), Console.Error, TimeProvider.System);
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
}
