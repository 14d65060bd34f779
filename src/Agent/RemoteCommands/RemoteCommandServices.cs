using Dunlin.Agent.Configuration;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Telemetry.Commands;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Agent.RemoteCommands;

/// <summary>Registers what a device does when it is told to.</summary>
internal static class RemoteCommandServices
{
    private static readonly TimeSpan RaceRefill = TimeSpan.FromMinutes(1), SignedRefill = TimeSpan.FromSeconds(30);
    private const int SignedBurst = 5;

    public static void AddRemoteCommands(this IServiceCollection services)
    {
        services.AddSingleton<CommandDispatcher>();
        services.AddHostedService(provider => provider.GetRequiredService<CommandDispatcher>());
        services.AddSingleton<CommandGate>();
        services.AddSingleton<RaceOnCommand>();
        services.AddSingleton<SnapshotOnCommand>();
        services.AddSingleton<ExplainOnCommand>();
        services.AddSingleton<LogLevelOnCommand>();
    }

    /// <summary>Call before the link starts.</summary>
    public static void Register(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<CommandOptions>();
        var (commands, gate) = (provider.GetRequiredService<CommandDispatcher>(), provider.GetRequiredService<CommandGate>());
        commands.Register(Command.Race, provider.GetRequiredService<RaceOnCommand>().RunAsync, burst: 1, RaceRefill);
        RegisterSigned(Command.Snapshot, nameof(CommandOptions.Snapshot), options.Snapshot, provider.GetRequiredService<SnapshotOnCommand>().RunAsync);
        RegisterSigned(Command.Explain, nameof(CommandOptions.Explain), options.Explain, provider.GetRequiredService<ExplainOnCommand>().RunAsync);
        RegisterSigned(Command.LogLevel, nameof(CommandOptions.LogLevel), options.LogLevel, provider.GetRequiredService<LogLevelOnCommand>().RunAsync, isQuick: true);

        void RegisterSigned(string name, string key, bool isAllowed, Func<SignedCommand, CancellationToken, Task<CommandResult>> run, bool isQuick = false) => commands.RegisterSigned(
            name, gate.Guard(name, $"{CommandOptions.Section}:{key}", isAllowed),
            (command, cancellationToken) => gate.WhyTooLate(command) is { } refusal ? Task.FromResult(refusal) : run(command, cancellationToken), SignedBurst, SignedRefill, isQuick);
    }
}
