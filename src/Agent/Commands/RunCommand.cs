using System.CommandLine;

namespace Dunlin.Agent.Commands;

internal static class RunCommand
{
    public static Command Create()
    {
        var command = new Command("run", "Runs the service in the foreground until SIGTERM or Ctrl-C (systemd starts this).");
        command.SetAction((result, cancellationToken) => AgentCommand.Guard(() => AgentHost.RunAsync(
            result.GetValue(AgentCommand.ConfigOption), result.GetValue(AgentCommand.SetOption) ?? [], cancellationToken), cancellationToken));
        return command;
    }
}
