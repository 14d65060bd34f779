using System.CommandLine;
using System.Globalization;
using Dunlin.Fleet.Connecting;

namespace Dunlin.Fleet.Serving;

/// <summary><c>dunlin-fleet fresh</c>: the beacon, once.</summary>
internal static class FreshCommand
{
    public static Command Create()
    {
        var fleet = new FleetOptions();
        var command = new Command("fresh", "Sends the beacon once to every device, as 'serve' does each hour; for fleets without 'serve', from a timer.");
        fleet.AddTo(command);
        command.SetAction(Failures.Reported((arguments, speaker, cancellationToken) => RunAsync(fleet.Of(arguments), speaker, cancellationToken)));
        return command;
    }

    internal static async Task<int> RunAsync(FleetSetup setup, Speaker speaker, CancellationToken cancellationToken)
    {
        using var logging = FleetLogging.Create(isVerbose: false, isJson: false);
        using var ledger = setup.OpenLedger();
        await using var writer = setup.NewWriter(ledger, logging.CreateLogger("fresh"));
        var answer = await writer.AskAsync(new ControlRequest(ControlVerb.Beacon), cancellationToken);
        var report = new FreshReport(ledger.Devices().Count, answer.Count);
        speaker.Say(report, FleetJson.Default.FreshReport, string.Create(CultureInfo.InvariantCulture, $"The beacon went to {report.Sent} of {report.Devices} devices."));
        return report.Sent >= report.Devices ? ExitCodes.Ok : ExitCodes.Unavailable;
    }
}

/// <param name="Devices">That the database knows.</param>
/// <param name="Sent">Of them, those whose beacon the broker has taken.</param>
internal sealed record FreshReport(int Devices, int Sent);
