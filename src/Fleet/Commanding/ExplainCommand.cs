using System.Globalization;
using Dunlin.Bundles.Durability;
using Dunlin.Contracts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Serving;

namespace Dunlin.Fleet.Commanding;

/// <summary><c>dunlin-fleet command explain</c>: where in the frame a device's model looks.</summary>
internal static class ExplainCommand
{
    public static System.CommandLine.Command Create()
    {
        var call = new CallOptions("2m");
        var output = new PictureOption("explain", "svg");
        var fleet = new FleetOptions();
        var command = new System.CommandLine.Command("explain", "Draws where in the camera's frame a device's model looks for what it answers, as an SVG that stands alone.");
        call.AddTo(command);
        output.AddTo(command);
        fleet.AddTo(command);
        command.SetAction(Failures.Reported(async (arguments, speaker, cancellationToken) =>
        {
            var target = call.Of(arguments);
            var answer = await Asking.SignedAsync(fleet.Of(arguments), target, new DeviceRequest(Contracts.Messages.Command.Explain), cancellationToken);
            var explanation = answer.Read(MessageJson.Default.Explanation);
            if (PictureRules.Of(explanation) is { } problem) throw answer.Unusable(problem);
            var path = output.PathFor(arguments, target.Device);
            DurableFile.Write(path, HeatDrawing.Draw(target.Device, explanation));
            var report = new ExplainReport(
                answer.Device, path, explanation.Score.Label, explanation.Score.Probability, explanation.Variant, explanation.Release, explanation.Frame, explanation.Captured);
            speaker.Say(report, FleetJson.Default.ExplainReport, report.ToText());
            return ExitCodes.Ok;
        }));
        return command;
    }
}

/// <param name="Device">Which.</param>
/// <param name="File">Where the drawing is.</param>
/// <param name="Label">The class that is explained.</param>
/// <param name="Probability">0…1.</param>
/// <param name="Variant">Of the model that serves.</param>
/// <param name="Release">Its release.</param>
/// <param name="Frame">The camera's number.</param>
/// <param name="Captured">By the device's clock.</param>
internal sealed record ExplainReport(string Device, string File, string Label, double Probability, string Variant, Digest Release, long Frame, DateTimeOffset Captured)
{
    public string ToText() => string.Create(CultureInfo.InvariantCulture,
        $"{File}: where {DeviceText.Clean(Variant)} on '{Device}' saw '{DeviceText.Clean(Label)}' ({100 * Probability:0.0} %) in frame {Frame} of {Captured:u}.");
}
