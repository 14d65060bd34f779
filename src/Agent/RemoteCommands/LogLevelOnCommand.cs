using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Telemetry.Commands;
using Microsoft.Extensions.Logging;
using Serilog.Core;
using Serilog.Events;

namespace Dunlin.Agent.RemoteCommands;

/// <summary>The command <c>log-level</c>: another level for a while, so that nobody's forgotten one fills the disk. A restart ends it, too.</summary>
internal sealed partial class LogLevelOnCommand(LoggingLevelSwitch level, TimeProvider time, ILogger<LogLevelOnCommand> logger) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly LogEventLevel _configured = level.MinimumLevel;
    private ITimer? _end;

    public Task<CommandResult> RunAsync(SignedCommand command, CancellationToken cancellationToken)
    {
        var length = TimeSpan.FromSeconds(command.Seconds!.Value);
        var change = new LogLevelChange(command.Level!, time.GetUtcNow() + length);
        lock (_gate)
        {
            // Before the change, which may be to a level that would not show it.
            LogChanged(change.Level, change.Until, command.Nonce);
            level.MinimumLevel = Enum.Parse<LogEventLevel>(change.Level, ignoreCase: true);
            _end?.Dispose();
            ITimer? end = null;
            _end = end = time.CreateTimer(_ => End(end), null, length, Timeout.InfiniteTimeSpan);
        }

        return Task.FromResult(new CommandResult(Payload: JsonSerializer.SerializeToElement(change, MessageJson.Default.LogLevelChange)));
    }

    public void Dispose() => _end?.Dispose();

    private void End(ITimer? end)
    {
        lock (_gate)
        {
            // A timer may be on its way while the next command replaces it.
            if (end != _end) return;
            level.MinimumLevel = _configured;
            LogEnded(_configured);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The log's level is {Level} until {Until:u}, as signed command {Nonce} asks")]
    private partial void LogChanged(string level, DateTimeOffset until, string nonce);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The log's level is {Level} again, as configured")]
    private partial void LogEnded(LogEventLevel level);
}
