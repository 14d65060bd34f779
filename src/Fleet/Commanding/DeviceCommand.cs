using System.CommandLine;

namespace Dunlin.Fleet.Commanding;

/// <summary><c>dunlin-fleet command</c>: asks one device for something, and waits for its reply.</summary>
internal static class DeviceCommand
{
    public static Command Create() => new("command", "Asks one device for something, and shows what it answers. What shows or changes more than a ping is signed with the directive keys.")
    {
        PingCommand.Create(), RaceCommand.Create(), SnapshotCommand.Create(), ExplainCommand.Create(), LogLevelCommand.Create(),
    };
}
