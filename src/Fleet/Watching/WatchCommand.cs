using System.CommandLine;
using Dunlin.Fleet.Commanding;
using Spectre.Console;

namespace Dunlin.Fleet.Watching;

/// <summary><c>dunlin-fleet watch</c>.</summary>
internal static class WatchCommand
{
    private const double MaximumSeconds = 86_400;

    public static System.CommandLine.Command Create()
    {
        var open = new OpenOptions();
        var json = new Option<bool>("--json") { Description = "Print a line of JSON per message instead of the table." };
        var once = new Option<bool>("--once") { Description = "Wait for the first devices, print them once, and end." };
        var seconds = new Option<double>("--seconds") { Description = "With --once: how long to collect messages.", DefaultValueFactory = _ => 3 };
        var command = new System.CommandLine.Command("watch", "Shows all devices of a fleet: what runs, how fast, at what energy.")
        {
            json, once, seconds,
        };
        seconds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (> 0 and <= MaximumSeconds)) result.AddError("--seconds must be above 0 and at most 86400.");
        });
        command.Validators.Add(result =>
        {
            if (result.GetResult(seconds) is { Implicit: false } && !result.GetValue(once)) result.AddError("--seconds must be given with --once: without it the watching goes on.");
        });
        open.AddTo(command);
        command.SetAction(Failures.Reported((parsed, _, cancellationToken) =>
        {
            var (broker, fleet) = open.Of(parsed);
            var output = parsed.InvocationConfiguration.Output;
            var watch = new Watch(broker, fleet, AnsiConsole.Console, output == Console.Out ? StandardOutput.Open() : output, parsed.InvocationConfiguration.Error, TimeProvider.System);
            return (parsed.GetValue(json), parsed.GetValue(once)) switch
            {
                (_, true) => watch.OnceAsync(TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(json), cancellationToken),
                (true, _) => watch.LinesAsync(isJson: true, cancellationToken),
                _ when Console.IsOutputRedirected => watch.LinesAsync(isJson: false, cancellationToken),
                _ => watch.LiveAsync(cancellationToken),
            };
        }));
        return command;
    }
}
