using System.CommandLine;
using System.Text.Json;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Racing;
using Dunlin.Contracts;
using Dunlin.Telemetry.Power;

namespace Dunlin.Agent.Commands;

internal static class RaceCommand
{
    public static Command Create()
    {
        var bundle = new Option<string?>("--bundle") { Description = "The bundle, an OCI layout directory. Default: Device:Bundle.", HelpName = "DIR" };
        var json = new Option<bool>("--json") { Description = "Print the verdict as JSON." };
        var command = new Command("race", "Races a bundle's variants on this board and prints the verdict. Section Race of the configuration applies.") { bundle, json };
        command.SetAction((result, cancellationToken) => AgentCommand.Guard(async () =>
        {
            var options = AgentCommand.OptionsOf(result);
            using var offline = new Offline();
            var release = Offline.OpenBundle(result.GetValue(bundle), options.Get<DeviceOptions>());
            var watts = options.Get<PowerOptions>().WattsPerCore;
            var race = offline.CreateRace(options.Get<RaceOptions>(), new EnergyProbe { WattsPerCore = watts > 0 ? watts : null });
            var verdict = await race.RunAsync(new RaceRequest(release, race.Enumerate(release, incumbent: null)), cancellationToken);
            if (result.GetValue(json)) Console.WriteLine(JsonSerializer.Serialize(verdict, StrictJson.Default.Verdict));
            else VerdictTable.Write(release.Manifest, verdict);
            return verdict.Winner is null ? 1 : 0;
        }, cancellationToken));
        return command;
    }
}
