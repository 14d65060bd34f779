using System.Text.Json;
using Dunlin.Agent.Serving;
using Dunlin.Contracts;
using Dunlin.Telemetry.Commands;

namespace Dunlin.Agent.RemoteCommands;

/// <summary>The command <c>race</c>: its reply holds the verdict.</summary>
internal sealed class RaceOnCommand(ServingService serving)
{
    public async Task<CommandResult> RunAsync(CancellationToken cancellationToken)
    {
        var (verdict, code, detail) = await serving.RequestRace().WaitAsync(cancellationToken);
        return new CommandResult(code, detail, verdict is null ? null : JsonSerializer.SerializeToElement(verdict, MessageJson.Default.Verdict));
    }
}
