using System.CommandLine;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Updates;
using Dunlin.Contracts.Processes;
using Dunlin.Contracts.Updates;

namespace Dunlin.Agent.Commands;

/// <summary>The command line of <c>dunlin-agent</c>.</summary>
internal static class AgentCommand
{
    public static Option<string?> ConfigOption { get; } = new("--config")
    {
        Description = $"The configuration file. Default: {AgentConfiguration.DefaultFile}, if there.",
        HelpName = "FILE",
        Recursive = true,
    };

    public static Option<string[]> SetOption { get; } = new("--set")
    {
        Description = "Section:Key=value, wins over the file and over DUNLIN_Section__Key in the environment. May be repeated.",
        HelpName = "ASSIGNMENT",
        Recursive = true,
    };

    public static RootCommand Create() => new("Runs the fastest safe version of an image classifier on this board.")
    {
        ConfigOption,
        SetOption,
        RunCommand.Create(),
        RaceCommand.Create(),
        ClassifyCommand.Create(),
        CheckCommand.Create(),
        StatusCommand.Create(),
    };

    /// <summary>The options that the command line, the environment and the file give.</summary>
    public static AgentOptions OptionsOf(ParseResult result) => AgentOptions.Load(result.GetValue(ConfigOption), result.GetValue(SetOption) ?? []);

    /// <exception cref="CommandException">This user may not look into the state directory, so that all of it would seem to be missing.</exception>
    public static StateLayout StateOf(AgentOptions options)
    {
        var layout = options.Device.Layout();
        return StateAccess.IsHidden(layout.Root) ? throw new CommandException($"This user may not look into the state directory '{layout.Root}'; run this as root.") : layout;
    }

    /// <summary>Runs a command's body; a configuration error ends in one message and exit code 78, Ctrl-C in 130.</summary>
    public static async Task<int> Guard(Func<Task<int>> body, CancellationToken cancellationToken)
    {
        try
        {
            return await body();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Interruption.ExitCode;
        }
        catch (ConfigurationException e)
        {
            await Console.Error.WriteLineAsync($"dunlin-agent: {e.Message}");
            return ConfigurationException.ExitCode;
        }
        catch (CommandException e)
        {
            await Console.Error.WriteLineAsync($"dunlin-agent: {e.Message}");
            return 1;
        }
    }
}
