using System.CommandLine;
using System.Globalization;
using Dunlin.Contracts;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Serving;

namespace Dunlin.Fleet.Commanding;

/// <summary><c>dunlin-fleet command log-level</c>: lets a device log more, or less, for a while.</summary>
internal static class LogLevelCommand
{
    public static Command Create()
    {
        var call = new CallOptions("30s");
        var level = new Argument<string>("LEVEL") { Description = $"One of {string.Join(", ", SignedCommand.LogLevels)}.", HelpName = "LEVEL" };
        var time = Durations.NewOption("--for", "When the configured level holds again, 1d at most.", "10m");
        var fleet = new FleetOptions();
        level.AcceptOnlyFromAmong([.. SignedCommand.LogLevels]);
        time.Validators.Add(result =>
        {
            if (Durations.TryParse(result.GetValueOrDefault<string>(), out var wanted) && wanted > SignedCommand.LongestLogLevel) result.AddError("--for must be at most 1d.");
        });
        var command = new Command("log-level", "Lets a device log more, or less, for a while; then its configured level holds again by itself.");
        call.AddTo(command);
        command.Add(level);
        command.Add(time);
        fleet.AddTo(command);
        command.SetAction(Failures.Reported(async (arguments, speaker, cancellationToken) =>
        {
            var request = new DeviceRequest(Contracts.Messages.Command.LogLevel, arguments.GetValue(level), (int)Durations.Get(arguments, time).TotalSeconds);
            var answer = await Asking.SignedAsync(fleet.Of(arguments), call.Of(arguments), request, cancellationToken);
            var change = answer.Read(MessageJson.Default.LogLevelChange);
            speaker.Say(new LogLevelReport(answer.Device, change.Level, change.Until), FleetJson.Default.LogLevelReport,
                string.Create(CultureInfo.InvariantCulture, $"'{answer.Device}' logs at the level {DeviceText.Clean(change.Level)} until {change.Until:u}."));
            return ExitCodes.Ok;
        }));
        return command;
    }
}

/// <param name="Device">Which.</param>
/// <param name="Level">That holds now.</param>
/// <param name="Until">By the device's clock.</param>
internal sealed record LogLevelReport(string Device, string Level, DateTimeOffset Until);
