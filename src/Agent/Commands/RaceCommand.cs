using System.CommandLine;
using System.Text.Json;
using Dunlin.Agent.Racing;
using Dunlin.Contracts;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Updates;
using Dunlin.Telemetry.Board;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Power;
using Microsoft.Extensions.Logging.Abstractions;

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
            if (NeighbourOf(options.Device.Layout()) is { } neighbour) await Console.Error.WriteLineAsync($"dunlin-agent: {neighbour}");
            using var offline = new Offline();
            var release = Offline.OpenBundle(result.GetValue(bundle), options.Device);
            var (power, racing) = (options.Power, options.Race);
            // As the service does: what a meter decides there, it decides here.
            using var sampler = new EnergySampler(
                racing.Objective == Objective.Latency ? new DiscoveredMeters(null, null, []) : PowerMeters.Discover(power, TimeProvider.System),
                power, TimeProvider.System, new BoardSensors().ReadBusySeconds, NullLogger<EnergySampler>.Instance);
            await sampler.StartAsync(cancellationToken);
            var race = offline.CreateRace(racing, EnergyProbe.Of(power, sampler));
            var verdict = await race.RunAsync(new RaceRequest(release, race.Enumerate(release, incumbent: null)), cancellationToken);
            await sampler.StopAsync(cancellationToken);
            if (result.GetValue(json)) Console.WriteLine(JsonSerializer.Serialize(verdict, StrictJson.Default.Verdict));
            else VerdictTable.Write(release.Manifest, verdict);
            return verdict.Winner is null ? 1 : 0;
        }, cancellationToken));
        return command;
    }

    /// <summary>What is to be said of an agent that serves meanwhile; null without one.</summary>
    internal static string? NeighbourOf(StateLayout layout) => AgentLock.IsHeld(layout) switch
    {
        true => $"The agent of '{layout.Root}' runs beside this race and takes cores from it, so that its figures are too slow; for true ones stop it meanwhile: systemctl stop dunlin-agent",
        null => $"This user may not look into '{layout.Root}', so that it cannot be seen whether an agent runs beside this race and makes its figures too slow; run this as root, or look yourself: systemctl status dunlin-agent",
        false => null,
    };
}
