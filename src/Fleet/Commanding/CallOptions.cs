using System.CommandLine;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;

namespace Dunlin.Fleet.Commanding;

/// <summary>Who is asked, and how long the reply may take.</summary>
internal sealed record CallTarget(string Device, TimeSpan Wait);

/// <summary>What every command takes: the device, and <c>--wait</c>.</summary>
internal sealed class CallOptions(string standardWait)
{
    private readonly Argument<string> _device = new("DEVICE") { Description = "The device's id." };
    private readonly Option<string> _wait = Durations.NewOption("--wait", $"How long to wait for the reply, {SignedCommand.LongestValidity.TotalMinutes:0}m at most; the broker drops the command then.", standardWait);

    public void AddTo(System.CommandLine.Command command)
    {
        _device.Validators.Add(result =>
        {
            if (!DeviceName.IsValid(result.GetValueOrDefault<string>())) result.AddError($"DEVICE must match {DeviceName.Rule}.");
        });
        _wait.Validators.Add(result =>
        {
            if (Durations.TryParse(result.GetValueOrDefault<string>(), out var wait) && wait > SignedCommand.LongestValidity) result.AddError($"--wait must be at most {SignedCommand.LongestValidity.TotalMinutes:0}m.");
        });
        command.Add(_device);
        command.Add(_wait);
    }

    public CallTarget Of(ParseResult arguments) => new(arguments.GetValue(_device)!, Durations.Get(arguments, _wait));
}
