using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Commands;

namespace Dunlin.Agent.Serving;

/// <summary>The command <c>race</c>: its reply holds the verdict.</summary>
internal static class RaceOnCommand
{
    private static readonly TimeSpan Refill = TimeSpan.FromMinutes(1);

    /// <summary>Call before the link starts.</summary>
    public static void Register(CommandDispatcher commands, ServingService serving) =>
        commands.Register(Command.Race, (_, cancellationToken) => RaceAsync(serving, cancellationToken), burst: 1, Refill);

    private static async Task<CommandResult> RaceAsync(ServingService serving, CancellationToken cancellationToken)
    {
        var (verdict, code, detail) = await serving.RequestRace().WaitAsync(cancellationToken);
        return new CommandResult(code, detail, verdict is null ? null : JsonSerializer.SerializeToElement(verdict, MessageJson.Default.Verdict));
    }
}
