using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Liveness;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Telemetry.Commands;

/// <summary>How a command ended. <paramref name="Code"/> is null when it is ok.</summary>
public sealed record CommandResult(string? Code = null, string? Detail = null, JsonElement? Payload = null);

/// <param name="Id">Comes back in the reply; of a signed command its nonce, as it claims.</param>
/// <param name="Envelope">Of a signed command: well-formed, and judged by nobody yet.</param>
public sealed record CommandCall(string? Id, DsseEnvelope? Envelope = null);

public delegate Task<CommandResult> CommandHandler(CommandCall call, CancellationToken cancellationToken);

/// <summary>
/// Runs the commands <c>ping</c> (built in) and what is registered, one at a time, rate-limited, and answers on <c>reply</c>;
/// a ping and a refusal wait for no other command. The sender's response topic is ignored. A command that comes twice (same id, nonce or correlation data) runs once.
/// </summary>
public sealed partial class CommandDispatcher : BackgroundService
{
    private const int MaximumIdLength = 64;
    private const int RememberedCount = 64;

    private readonly MqttLink _link;
    private readonly LinkIdentity _identity;
    private readonly MessageSequence _sequence;
    private readonly TimeProvider _time;
    private readonly ILogger<CommandDispatcher> _logger;
    private readonly Dictionary<string, Known> _commands = [];
    private readonly CommandLane _quick;
    private readonly CommandLane _slow;
    private readonly Queue<string> _seen = new();
    private readonly RateLimit _refusals;

    public CommandDispatcher(
        MqttLink link, LinkIdentity identity, MessageSequence sequence, LoopTicks ticks, TimeProvider time, ILogger<CommandDispatcher> logger)
    {
        (_link, _identity, _sequence, _time, _logger) = (link, identity, sequence, time, logger);
        _slow = new CommandLane(ticks.Register("commands", CommandLane.LongestTickInterval), time);
        _quick = new CommandLane(ticks.Register("pings", CommandLane.LongestTickInterval), time);
        _refusals = new RateLimit(10, TimeSpan.FromSeconds(1), time);
        Register(Command.Ping, (_, _) => Task.FromResult(new CommandResult()), burst: 5, refill: TimeSpan.FromSeconds(1));
        link.Subscribe(identity.Topics.Commands, Accept);
    }

    private sealed record Known(CommandHandler Handler, RateLimit Limit, bool IsSigned);

    private sealed record Request(string Name, CommandCall Call, byte[] Correlation, string? RefusalCode, string? Detail);

    /// <summary>Call before the link starts.</summary>
    /// <param name="name">The last level of the topic.</param>
    /// <param name="handler">Must obey its token; an exception becomes the reply <c>command.failed</c>.</param>
    /// <param name="burst">How many may come at once.</param>
    /// <param name="refill">The time for one more.</param>
    /// <param name="isSigned">Its payload is the envelope of a <see cref="SignedCommand"/>, which the handler judges.</param>
    public void Register(string name, CommandHandler handler, int burst, TimeSpan refill, bool isSigned = false) =>
        _commands.Add(name, new Known(handler, new RateLimit(burst, refill, _time), isSigned));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var lanes = new[] { _quick.RunAsync(stoppingToken), _slow.RunAsync(stoppingToken) };
        // A lane that fails ends the service, also while the other goes on.
        await await Task.WhenAny(lanes);
        await Task.WhenAll(lanes);
    }

    private ValueTask<bool> Accept(IncomingMessage message)
    {
        var name = message.Topic[(message.Topic.LastIndexOf('/') + 1)..];
        var known = _commands.GetValueOrDefault(name);
        var (call, problem) = known?.IsSigned == true ? ReadSigned(message) : Read(message);
        if (call is null)
        {
            Refuse(message, name, new CommandCall(null), "command.invalid", problem!);
            return ValueTask.FromResult(false);
        }

        if (IsRepeated(message, call)) return ValueTask.FromResult(true);
        if (message.IsRetained) Refuse(message, name, call, "command.invalid", "A command must not be retained.");
        else if (known is null) Refuse(message, name, call, "command.unknown", $"Commands are {string.Join(", ", _commands.Keys.Order())}.");
        else if (!known.Limit.TryTake() || !TryAdd(name == Command.Ping ? _quick : _slow, new Request(name, call, message.CorrelationData.ToArray(), null, null)))
            Refuse(message, name, call, "command.rate-limited", "Too many commands; send it again later.");
        return ValueTask.FromResult(true);
    }

    private static (CommandCall? Call, string? Problem) Read(IncomingMessage message)
    {
        if (message.Payload.IsEmpty) return (new CommandCall(null), null);
        return message.TryRead(MessageJson.Default.Command, out var command) && command.Id is not { Length: > MaximumIdLength }
            ? (new CommandCall(command.Id), null)
            : (null, "The payload must be empty or {\"id\": \"…\"} with at most 64 characters.");
    }

    private static (CommandCall? Call, string? Problem) ReadSigned(IncomingMessage message)
    {
        var envelope = EnvelopeReader.Read(message.Payload.Span);
        if (!envelope.IsValid) return (null, $"The payload must be the envelope of a signed command: {string.Join(" ", envelope.Errors)} Send it with 'dunlin-fleet command'.");
        var command = SignedCommandReader.Read(envelope.Value.Payload.Span);
        return command.IsValid ? (new CommandCall(command.Value.Nonce, envelope.Value), null) : (null, $"The command is invalid: {string.Join(" ", command.Errors)}");
    }

    private void Refuse(IncomingMessage message, string name, CommandCall call, string code, string detail)
    {
        if (!_refusals.TryTake()) return;
        var shown = DeviceName.IsValid(name) ? name : "(invalid)";
        TryAdd(_quick, new Request(shown, call, message.CorrelationData.ToArray(), code, detail));
    }

    private bool TryAdd(CommandLane lane, Request request) => lane.TryAdd(cancellationToken => AnswerAsync(request, cancellationToken));

    private bool IsRepeated(IncomingMessage message, CommandCall call)
    {
        if (call.Id is null && message.CorrelationData.IsEmpty) return false;
        var key = $"{message.Topic} {call.Id} {Convert.ToHexString(message.CorrelationData.Span)}";
        if (_seen.Contains(key)) return true;
        _seen.Enqueue(key);
        if (_seen.Count > RememberedCount) _seen.Dequeue();
        return false;
    }

    private async Task AnswerAsync(Request request, CancellationToken cancellationToken)
    {
        CommandResult result;
        try
        {
            result = request.RefusalCode is { } code
                ? new CommandResult(code, request.Detail)
                : await _commands[request.Name].Handler(request.Call, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogCommandFailed(e, request.Name);
            result = new CommandResult("command.failed", "The command failed; see the device's log.");
        }

        LogAnswered(request.Name, result.Code ?? "ok");
        var reply = new Reply
        {
            Schema = Reply.CurrentSchema,
            BootId = _identity.BootId,
            Sequence = _sequence.Next(),
            Time = _time.GetUtcNow(),
            Command = request.Name,
            Id = request.Call.Id,
            Ok = result.Code is null,
            Code = result.Code,
            Detail = result.Detail,
            Payload = result.Payload,
        };
        var payload = JsonSerializer.SerializeToUtf8Bytes(reply, MessageJson.Default.Reply);
        await _link.PublishAsync(_identity.Topics.Reply, payload, 3600, request.Correlation, cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Command {Command}: {Code}")]
    private partial void LogAnswered(string command, string code);

    [LoggerMessage(Level = LogLevel.Error, Message = "Command {Command} failed")]
    private partial void LogCommandFailed(Exception failure, string command);
}
