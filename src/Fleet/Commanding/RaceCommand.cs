using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Race;
using Dunlin.Fleet.Connecting;

namespace Dunlin.Fleet.Commanding;

/// <summary><c>dunlin-fleet command race</c>: the variants of what a device runs race again.</summary>
internal static class RaceCommand
{
    public static System.CommandLine.Command Create()
    {
        var call = new CallOptions("2m");
        var open = new OpenOptions();
        var command = new System.CommandLine.Command("race", "Lets the variants of a device's release race again, and says which won and why.");
        call.AddTo(command);
        open.AddTo(command);
        command.Add(Speaker.NewJsonOption());
        command.SetAction(Failures.Reported(async (arguments, speaker, cancellationToken) =>
        {
            var (broker, fleet) = open.Of(arguments);
            var answer = await Asking.OpenlyAsync(broker, fleet, call.Of(arguments), Contracts.Messages.Command.Race, cancellationToken);
            var verdict = answer.Read(MessageJson.Default.Verdict);
            speaker.Say(new RaceReport(answer.Device, verdict.Winner, verdict.Reason, answer.Payload!.Value), FleetJson.Default.RaceReport,
                $"'{answer.Device}': {DeviceText.Clean(verdict.Reason)}");
            return ExitCodes.Ok;
        }));
        return command;
    }
}

/// <param name="Device">Which.</param>
/// <param name="Winner">Null if nothing could run.</param>
/// <param name="Reason">In a sentence that names the winner.</param>
/// <param name="Verdict">As the device sent it (docs/schemas/race.schema.json).</param>
internal sealed record RaceReport(string Device, ContenderId? Winner, string Reason, JsonElement Verdict);
