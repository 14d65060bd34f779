using System.Globalization;
using Dunlin.Agent.Children;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Reporting;
using Dunlin.Agent.Sandboxing;
using Dunlin.Agent.Serving;
using Dunlin.Agent.Updates;
using Dunlin.Agent.Updates.Fetching;
using Dunlin.Bundles.State;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Updates;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Sessions;
using Dunlin.Telemetry.Board;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Power;
using Microsoft.Extensions.Logging.Abstractions;
using Spectre.Console;
using Command = System.CommandLine.Command;

namespace Dunlin.Agent.Commands;

/// <summary>Tries each part on this board as the service would, and says what works, what does not, and what to do about it.</summary>
internal static class CheckCommand
{
    private static readonly TimeSpan CameraTime = TimeSpan.FromSeconds(8);

    /// <summary>How one part does.</summary>
    private enum Mark
    {
        Ok = 1,
        Limited = 2,
        Failed = 3,
    }

    public static Command Create()
    {
        var command = new Command("check", "Checks configuration, bundle, models, sandbox, camera, broker and sensors. Exit code 1 if something does not work.");
        command.SetAction((result, cancellationToken) => AgentCommand.Guard(() => RunAsync(AgentCommand.OptionsOf(result), cancellationToken), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(AgentOptions options, CancellationToken cancellationToken)
    {
        var layout = AgentCommand.StateOf(options);
        var failed = false;
        void Say(Mark mark, string part, string sentence)
        {
            failed |= mark == Mark.Failed;
            var (colour, word) = mark switch { Mark.Ok => ("green", "ok"), Mark.Limited => ("yellow", "limited"), _ => ("red", "FAILED") };
            AnsiConsole.MarkupLine($"[{colour}]{word,-8}[/]{part,-14}{Markup.Escape(sentence)}");
        }

        Say(Mark.Ok, "configuration", "It is valid.");
        using var offline = new Offline();
        Say(Mark.Ok, "board", string.Create(CultureInfo.InvariantCulture,
            $"{offline.Board.CpuModel}, {offline.Board.UsableCores} usable cores, {offline.Board.MemoryAvailableByteCount >> 20} MiB of memory free, kernel {offline.Board.Kernel}."));
        foreach (var complaint in await ServiceReach.ComplaintsAsync(options, cancellationToken)) Say(Mark.Limited, "service", complaint);
        var model = await CheckModelsAsync(options, layout, offline, Say, cancellationToken);
        // A camera is for one program, and a broker may give us the session of the agent: it goes by certificates.
        if (AgentLock.IsHeld(layout) == true)
        {
            foreach (var part in (string[])["camera", "broker"]) Say(Mark.Limited, part, "Not tried: the running agent has it. How it does: systemctl status dunlin-agent");
        }
        else
        {
            await CheckCameraAsync(options, offline, model, Say, cancellationToken);
            await CheckBrokerAsync(options, layout, Say, cancellationToken);
        }

        await CheckCredentialsAsync(options.Updates, Say, cancellationToken);
        CheckCommands(options.Commands, layout, Say);
        CheckSensors(options.Power, Say);
        return failed ? 1 : 0;
    }

    private static async Task<(SessionSpec Session, SessionNeeds Needs)?> CheckModelsAsync(AgentOptions options, StateLayout layout, Offline offline, Action<Mark, string, string> say, CancellationToken cancellationToken)
    {
        var (files, store) = (new StateFiles(layout), new ReleaseStore(layout, offline.Board));
        var (release, problem) = new ReleaseGate(options.Device, options.Updates, files, store).Open();
        if (release is null)
        {
            // Nothing is wrong with a board that was just enrolled.
            if (options.Device.Bundle.Length == 0 && store.Active is null && files.ReadRoot().Value is not null)
                say(Mark.Limited, "bundle", "None yet: this board waits for its first release; push one with 'dunlin-fleet push'.");
            else say(Mark.Failed, "bundle", problem!);
            return null;
        }

        if (problem is not null) say(Mark.Limited, "bundle", problem);
        say(Mark.Ok, "bundle", $"{release}, {release.Bundle.Manifest.Variants.Count} variants, {(release.IsSigned ? "signed" : "unsigned")}, {release.Bundle.ReleaseId}.");
        var race = offline.CreateRace(options.Race, new EnergyProbe());
        (SessionSpec, SessionNeeds)? first = null;
        foreach (var group in race.Enumerate(release.Bundle, null).GroupBy(contender => contender.Variant.Id))
        {
            if (group.First().Blocked is { } blocked)
            {
                say(Mark.Limited, "variant", blocked.Reason);
                continue;
            }

            var vetted = await offline.Vetting.VetAsync(release.Bundle, group.First().Variant, Providers.Cpu, cancellationToken);
            if (vetted.Session is { } session) first ??= (session, Vetting.NeedsOf(group.First().Variant));
            if (vetted.Session is null) say(Mark.Failed, "variant", vetted.Reason);
            else say(Mark.Ok, "variant", $"'{group.Key}' loads and passes its golden check: {vetted.Golden!.AgreementCount} of {vetted.Golden.SampleCount} as on the workstation.");
        }

        if (first is null) say(Mark.Failed, "variant", "None of this bundle can run here.");
        return first;
    }

    private static async Task CheckCredentialsAsync(UpdateOptions options, Action<Mark, string, string> say, CancellationToken cancellationToken)
    {
        foreach (var credential in options.Credentials)
        {
            var problem = await credential.ProblemAsync(cancellationToken);
            say(problem is null ? Mark.Ok : Mark.Failed, "credentials", problem ?? $"There are some for {credential.Host}.");
        }
    }

    private static void CheckCommands(CommandOptions options, StateLayout layout, Action<Mark, string, string> say)
    {
        var allowed = ((string Key, bool IsAllowed)[])[(nameof(options.Snapshot), options.Snapshot), (nameof(options.Explain), options.Explain), (nameof(options.LogLevel), options.LogLevel)];
        var keys = string.Join(", ", allowed.Where(command => command.IsAllowed).Select(command => $"{CommandOptions.Section}:{command.Key}"));
        if (keys.Length == 0) return;
        if (File.Exists(layout.TrustRoot)) say(Mark.Ok, "commands", $"{keys}: by whoever has the fleet's directive keys.");
        else say(Mark.Limited, "commands", $"{keys}: allowed, but this device has no trusted root to know the fleet by; enrol it with 'dunlin-fleet enroll'.");
    }

    private static async Task CheckCameraAsync(AgentOptions options, Offline offline, (SessionSpec Session, SessionNeeds Needs)? model, Action<Mark, string, string> say, CancellationToken cancellationToken)
    {
        var camera = options.Camera;
        var source = CameraFeed.SourceOf(camera);
        if (model is not { } served)
        {
            say(Mark.Limited, "camera", $"'{source}' is not tried, because no model runs.");
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        CameraHealth? health = null;
        Ready? ready = null;
        string? unusable = null, closed = null;
        var window = new TaskCompletionSource<FrameWindow>(TaskCreationOptions.RunContinuationsAsynchronously);
        var events = new WorkerEvents { Ready = r => ready = r, Camera = c => health = c, Window = Take };
        var supervisor = new WorkerSupervisor(offline.Host, new WorkerLimits(), events, NullLogger<WorkerSupervisor>.Instance, TimeProvider.System);
        var loop = WorkerSeat.LoopOf(options.Results, options.Race, new TelemetryOptions { WindowSeconds = 1 });
        var feed = new CameraFeed(camera, offline.Host, NullLoggerFactory.Instance, TimeProvider.System) { Closed = exit => closed = exit.Reason };
        await using (var seat = new WorkerSeat(supervisor, feed, loop, offline.Cache.Root, renew: null, stop.Token))
        {
            await seat.SeatAsync(served.Session, served.Needs, cancellationToken);
            await Task.WhenAny(window.Task, Task.Delay(CameraTime, cancellationToken));
            await stop.CancelAsync();
        }

        if (ready is not null)
        {
            var missing = feed.MissingSandbox(ready, Landlock.Abi());
            say(missing.Count == 0 ? Mark.Ok : Mark.Limited, "sandbox", missing.Count == 0 ? "The kernel has all of it." : string.Join(" ", missing));
        }

        if (window.Task.IsCompletedSuccessfully)
        {
            var seen = await window.Task;
            say(Mark.Ok, "camera", string.Create(CultureInfo.InvariantCulture, $"'{source}': {seen.Camera.Format ?? "frames"}, {seen.Frames.Classified / seen.WindowSeconds:0.0} frames per second classified."));
        }
        else
        {
            say(Mark.Failed, "camera", closed ?? unusable ?? health?.Detail ?? $"'{source}' gave no frame within {CameraTime.TotalSeconds:0} s; see that it is plugged in and that no other program uses it.");
        }

        void Take(SessionSpec _, FrameWindow seen)
        {
            unusable = FrameProblem.Of(seen);
            if (seen.Frames.Classified > 0) window.TrySetResult(seen);
        }
    }

    private static async Task CheckBrokerAsync(AgentOptions options, StateLayout layout, Action<Mark, string, string> say, CancellationToken cancellationToken)
    {
        var mqtt = options.Mqtt;
        if (mqtt.Host.Length == 0)
        {
            say(Mark.Limited, "broker", "None is configured; results stay on this board. Set Mqtt:Host.");
            return;
        }

        var device = options.Device;
        var clock = BrokerCheck.ClockOf(device, new StateFiles(layout), TimeProvider.System);
        // A client id of its own: the running agent's session must not be taken.
        var problem = await BrokerCheck.ProblemAsync(mqtt, $"{device.Id}-check", clock, cancellationToken);
        say(problem is null ? Mark.Ok : Mark.Failed, "broker", problem ?? $"{mqtt.Host} lets this device in.");
    }

    private static void CheckSensors(PowerOptions power, Action<Mark, string, string> say)
    {
        var board = new BoardSensors();
        var celsius = board.ReadCelsius();
        say(celsius is null ? Mark.Limited : Mark.Ok, "temperature", celsius is null ? "This board shows none." : string.Create(CultureInfo.InvariantCulture, $"{celsius:0.0} °C."));
        if (board.ReadBattery() is { } battery)
            say(battery.Low ? Mark.Limited : Mark.Ok, "battery", $"{(battery.Percent is { } percent ? $"{percent} %, " : "")}{(battery.Discharging ? "discharging" : "charged or full")}{(battery.Low ? ": a lighter variant runs if there is one" : "")}.");
        var meters = PowerMeters.Discover(power, TimeProvider.System);
        using var sampler = new EnergySampler(meters, power, TimeProvider.System, () => null, NullLogger<EnergySampler>.Instance);
        foreach (var problem in sampler.ReadOnce()) say(Mark.Failed, "power", problem);
        if (sampler.Problems.Count > 0) return;
        if (sampler.Measured is { } meter) say(Mark.Ok, "power", $"{meter.Description}: {meter.Method.ToString().ToLowerInvariant()}, {meter.Scope.ToString().ToLowerInvariant()}.");
        else say(Mark.Limited, "power", $"{(sampler.Estimated is null ? "No meter and no estimate" : "No meter, so energy is estimated by CPU time")}: {string.Join(" ", meters.Reasons)}");
    }
}
