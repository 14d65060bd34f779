using System.Globalization;
using Dunlin.Bundles.Durability;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Serving;

namespace Dunlin.Fleet.Commanding;

/// <summary><c>dunlin-fleet command snapshot</c>: what a device's camera sees.</summary>
internal static class SnapshotCommand
{
    public static System.CommandLine.Command Create()
    {
        var call = new CallOptions("30s");
        var output = new PictureOption("snapshot", "jpg");
        var fleet = new FleetOptions();
        var command = new System.CommandLine.Command("snapshot", "Fetches the frame that a device's camera sees, as a JPEG.");
        call.AddTo(command);
        output.AddTo(command);
        fleet.AddTo(command);
        command.SetAction(Failures.Reported(async (arguments, speaker, cancellationToken) =>
        {
            var target = call.Of(arguments);
            var answer = await Asking.SignedAsync(fleet.Of(arguments), target, new DeviceRequest(Contracts.Messages.Command.Snapshot), cancellationToken);
            var snapshot = answer.Read(MessageJson.Default.Snapshot);
            if (PictureRules.Of(snapshot) is { } problem) throw answer.Unusable(problem);
            var path = output.PathFor(arguments, target.Device);
            DurableFile.Write(path, snapshot.Image.Span);
            var report = new SnapshotReport(answer.Device, path, snapshot.Frame, snapshot.Captured, snapshot.Width, snapshot.Height);
            speaker.Say(report, FleetJson.Default.SnapshotReport, report.ToText());
            return ExitCodes.Ok;
        }));
        return command;
    }
}

/// <param name="Device">Which.</param>
/// <param name="File">Where the picture is.</param>
/// <param name="Frame">The camera's number.</param>
/// <param name="Captured">By the device's clock.</param>
/// <param name="Width">Pixels of the frame; the picture may have fewer.</param>
/// <param name="Height">Pixels of the frame.</param>
internal sealed record SnapshotReport(string Device, string File, long Frame, DateTimeOffset Captured, int Width, int Height)
{
    public string ToText() => string.Create(CultureInfo.InvariantCulture, $"{File}: frame {Frame} of '{Device}', {Width} × {Height}, of {Captured:u}.");
}
