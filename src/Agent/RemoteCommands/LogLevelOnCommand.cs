using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Telemetry.Commands;
using Serilog.Core;
using Serilog.Events;

namespace Dunlin.Agent.RemoteCommands;

/// <summary>The command <c>log-level</c>: another level for a while, so that nobody's forgotten one fills the disk. A restart ends it, too.</summary>
internal sealed class LogLevelOnCommand : IDisposable
{
    private readonly LoggingLevelSwitch _level;
    private readonly LogEventLevel _configured;
    private readonly TimeProvider _time;
    private readonly ITimer _end;

    public LogLevelOnCommand(LoggingLevelSwitch level, TimeProvider time)
    {
        (_level, _configured, _time) = (level, level.MinimumLevel, time);
        _end = time.CreateTimer(_ => _level.MinimumLevel = _configured, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public Task<CommandResult> RunAsync(SignedCommand command, CancellationToken cancellationToken)
    {
        var length = TimeSpan.FromSeconds(command.Seconds!.Value);
        _level.MinimumLevel = Enum.Parse<LogEventLevel>(command.Level!, ignoreCase: true);
        _end.Change(length, Timeout.InfiniteTimeSpan);
        var change = new LogLevelChange(command.Level!, _time.GetUtcNow() + length);
        return Task.FromResult(new CommandResult(Payload: JsonSerializer.SerializeToElement(change, MessageJson.Default.LogLevelChange)));
    }

    public void Dispose() => _end.Dispose();
}
