using System.CommandLine;
using Dunlin.Contracts.Messages;

namespace Dunlin.Fleet.Signing;

/// <summary><c>dunlin-fleet keys</c>: the keys of a fleet's roles and its root.</summary>
internal static class KeysCommand
{
    public static System.CommandLine.Command Create() => new("keys", "Makes the keys of a fleet.") { CreateInit() };

    private static System.CommandLine.Command CreateInit()
    {
        var folder = new Argument<DirectoryInfo>("DIR") { Description = "The folder to make; it must not exist, or be empty." };
        var fleet = new Option<string>("--fleet") { Description = "The fleet that the root is for.", DefaultValueFactory = _ => "default" };
        var days = new Option<int>("--days") { Description = "Days until the root expires.", DefaultValueFactory = _ => 3650 };
        fleet.Validators.Add(result =>
        {
            if (!DeviceName.IsValid(result.GetValueOrDefault<string>())) result.AddError($"--fleet must match {DeviceName.Rule}.");
        });
        days.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 36_500) result.AddError("--days must be 1 to 36500.");
        });
        var command = new System.CommandLine.Command("init", "Makes a key for each role, and the first root, signed. Whoever has the keys decides what the fleet runs.") { folder, fleet, days };
        command.SetAction(parsed => Run(
            parsed.GetValue(folder)!.FullName, parsed.GetValue(fleet)!, TimeSpan.FromDays(parsed.GetValue(days)), TimeProvider.System, Console.Out, Console.Error));
        return command;
    }

    internal static int Run(string folder, string fleet, TimeSpan validity, TimeProvider time, TextWriter output, TextWriter errors)
    {
        try
        {
            var root = KeyFolder.Create(folder, fleet, time.GetUtcNow(), validity);
            output.WriteLine($"{folder}: root {root.Version} of the fleet '{root.Fleet}', valid until {root.Expires:yyyy-MM-dd}. Keep {KeyFolder.RootKey} and {KeyFolder.ReleaseKey} offline.");
            return ExitCodes.Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.WriteLine($"dunlin-fleet: {e.Message}");
            return ExitCodes.CannotCreate;
        }
    }
}
