using System.Globalization;

namespace Dunlin.Fleet.Commanding;

/// <summary><c>dunlin-fleet command ping</c>: whether a device answers, and how soon.</summary>
internal static class PingCommand
{
    public static System.CommandLine.Command Create()
    {
        var call = new CallOptions("30s");
        var open = new OpenOptions();
        var command = new System.CommandLine.Command("ping", "Says how long the way to a device and back takes, the broker's part included.");
        call.AddTo(command);
        open.AddTo(command);
        command.Add(Speaker.NewJsonOption());
        command.SetAction(Failures.Reported(async (arguments, speaker, cancellationToken) =>
        {
            var (broker, fleet) = open.Of(arguments);
            var answer = await Asking.OpenlyAsync(broker, fleet, call.Of(arguments), Contracts.Messages.Command.Ping, cancellationToken);
            var report = new PingReport(answer.Device, answer.Elapsed.TotalMilliseconds);
            speaker.Say(report, FleetJson.Default.PingReport, string.Create(CultureInfo.InvariantCulture, $"'{report.Device}' answered in {report.Milliseconds:0.0} ms."));
            return ExitCodes.Ok;
        }));
        return command;
    }
}

/// <param name="Device">Which.</param>
/// <param name="Milliseconds">There and back.</param>
internal sealed record PingReport(string Device, double Milliseconds);
