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

/// <summary>Whether a command whose envelope is well-formed may run: what it says, or the refusal.</summary>
public delegate (SignedCommand? Command, CommandResult? Refusal) CommandJudge(DsseEnvelope envelope);

/// <summary>
/// Runs the commands <c>ping</c> (built in) and what is registered, rate-limited, and answers on <c>reply</c>. Those that take long run
/// one at a time; refusals and those that take no time wait for none of them. The sender's response topic is ignored. A command that
/// comes twice (same id, nonce or correlation data) runs once.
/// </summary>
public sealed partial class CommandDispatcher : BackgroundService
{
    private const int MaximumIdLength = 64, MaximumCorrelationByteCount = 64;
    private const int RememberedCount = 64;
    private static readonly TimeSpan ReplyPatience = TimeSpan.FromMinutes(2), ReplyPause = TimeSpan.FromMilliseconds(200);

    private readonly MqttLink _link;
    private readonly LinkIdentity _identity;
    private readonly MessageSequence _sequence;
    private readonly TimeProvider _time;
    private readonly ILogger<CommandDispatcher> _logger;
    private readonly Dictionary<string, Known> _commands = [];
    private readonly CommandLane _quick;
    private readonly CommandLane _slow;
    private readonly Queue<string> _seen = new();
    private readonly RateLimit _refusals, _judgements;

    public CommandDispatcher(
        MqttLink link, LinkIdentity identity, MessageSequence sequence, LoopTicks ticks, TimeProvider time, ILogger<CommandDispatcher> logger)
    {
        (_link, _identity, _sequence, _time, _logger) = (link, identity, sequence, time, logger);
        _slow = new CommandLane(ticks.Register("commands", CommandLane.LongestTickInterval));
        _quick = new CommandLane(ticks.Register("pings", CommandLane.LongestTickInterval));
        _refusals = new RateLimit(10, TimeSpan.FromSeconds(1), time);
        // Anybody can send an envelope: what it costs to look at one is bounded, and takes nothing from what the owner may send.
        _judgements = new RateLimit(50, TimeSpan.FromMilliseconds(20), time);
        _commands.Add(Command.Ping, new Known(new RateLimit(5, TimeSpan.FromSeconds(1), time), _quick, null, (_, _) => Task.FromResult(new CommandResult())));
        link.Subscribe(identity.Topics.Commands, Accept);
    }

    // Only a signed command has a judge.
    private sealed record Known(RateLimit Limit, CommandLane Lane, CommandJudge? Judge, Func<SignedCommand?, CancellationToken, Task<CommandResult>> Run);

    // The id comes back in the reply; of a signed command it is its nonce, as it claims.
    private sealed record Request(string Name, string? Id, byte[] Correlation);

    /// <summary>Call before the link starts.</summary>
    /// <param name="name">The last level of the topic.</param>
    /// <param name="run">Must obey its token; an exception becomes the reply <c>command.failed</c>.</param>
    /// <param name="burst">How many may come at once.</param>
    /// <param name="refill">The time for one more.</param>
    public void Register(string name, Func<CancellationToken, Task<CommandResult>> run, int burst, TimeSpan refill) =>
        _commands.Add(name, new Known(new RateLimit(burst, refill, _time), _slow, null, (_, cancellationToken) => run(cancellationToken)));

    /// <summary>A command whose payload is the envelope of a <see cref="SignedCommand"/>. Call before the link starts.</summary>
    /// <param name="name">The last level of the topic.</param>
    /// <param name="judge">Called for one at a time; only what it lets through counts for the rate.</param>
    /// <param name="run">Must obey its token; an exception becomes the reply <c>command.failed</c>.</param>
    /// <param name="burst">How many may come at once.</param>
    /// <param name="refill">The time for one more.</param>
    /// <param name="isQuick">It takes no time, and waits for no other.</param>
    public void RegisterSigned(
        string name, CommandJudge judge, Func<SignedCommand, CancellationToken, Task<CommandResult>> run, int burst, TimeSpan refill, bool isQuick = false) =>
        _commands.Add(name, new Known(new RateLimit(burst, refill, _time), isQuick ? _quick : _slow, judge, (command, cancellationToken) => run(command!, cancellationToken)));

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
        var isFitting = message.CorrelationData.Length <= MaximumCorrelationByteCount;
        var (id, envelope, problem) = !isFitting ? (null, null, $"The correlation data must have at most {MaximumCorrelationByteCount} bytes.")
            : known?.Judge is null ? Read(message) : ReadSigned(message);
        var request = new Request(DeviceName.IsValid(name) ? name : "(invalid)", id, isFitting ? message.CorrelationData.ToArray() : []);
        if (problem is not null)
        {
            Refuse(request, "command.invalid", problem);
            return ValueTask.FromResult(false);
        }

        if (known is null) Refuse(request, "command.unknown", $"Commands are {string.Join(", ", _commands.Keys.Order())}.");
        else if (IsRepeated(request)) return ValueTask.FromResult(true);
        else if (message.IsRetained) Refuse(request, "command.invalid", "A command must not be retained.");
        else if (envelope is null ? !TryStart(known, request, null) : !_judgements.TryTake() || !_quick.TryAdd(_ => Judge(known, request, envelope)))
            RefuseForRate(request);
        return ValueTask.FromResult(true);
    }

    private static (string? Id, DsseEnvelope? Envelope, string? Problem) Read(IncomingMessage message)
    {
        if (message.Payload.IsEmpty) return (null, null, null);
        return message.TryRead(MessageJson.Default.Command, out var command) && command.Id is not { Length: > MaximumIdLength }
            ? (command.Id, null, null)
            : (null, null, "The payload must be empty or {\"id\": \"…\"} with at most 64 characters.");
    }

    private static (string? Id, DsseEnvelope? Envelope, string? Problem) ReadSigned(IncomingMessage message)
    {
        var envelope = DsseEnvelope.Format.Read(message.Payload.Span);
        if (!envelope.IsValid) return (null, null, $"The payload must be the envelope of a signed command: {string.Join(" ", envelope.Errors)} Send it with 'dunlin-fleet command'.");
        var command = SignedCommand.Format.Read(envelope.Value.Payload.Span);
        return command.IsValid ? (command.Value.Nonce, envelope.Value, null) : (null, null, $"The command is invalid: {string.Join(" ", command.Errors)}");
    }

    private Task Judge(Known known, Request request, DsseEnvelope envelope)
    {
        var (command, refusal) = known.Judge!(envelope);
        if (command is null) Refuse(request, refusal!.Code!, refusal.Detail!);
        else if (!TryStart(known, request, command)) RefuseForRate(request);
        return Task.CompletedTask;
    }

    private bool TryStart(Known known, Request request, SignedCommand? command) =>
        known.Limit.TryTake() && known.Lane.TryAdd(cancellationToken => RunAsync(known, request, command, cancellationToken));

    private void RefuseForRate(Request request) => Refuse(request, "command.rate-limited", "Too many commands; send it again later.");

    private void Refuse(Request request, string code, string detail)
    {
        if (_refusals.TryTake()) _quick.TryAdd(cancellationToken => AnswerAsync(request, new CommandResult(code, detail), cancellationToken));
    }

    private bool IsRepeated(Request request)
    {
        if (request.Id is null && request.Correlation.Length == 0) return false;
        var key = $"{request.Name} {request.Id} {Convert.ToHexString(request.Correlation)}";
        if (_seen.Contains(key)) return true;
        _seen.Enqueue(key);
        if (_seen.Count > RememberedCount) _seen.Dequeue();
        return false;
    }

    private async Task RunAsync(Known known, Request request, SignedCommand? command, CancellationToken cancellationToken)
    {
        CommandResult result;
        try
        {
            result = await known.Run(command, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogCommandFailed(e, request.Name);
            result = new CommandResult("command.failed", "The command failed; see the device's log.");
        }

        await AnswerAsync(request, result, cancellationToken);
    }

    private async Task AnswerAsync(Request request, CommandResult result, CancellationToken cancellationToken)
    {
        LogAnswered(request.Name, result.Code ?? "ok");
        var reply = new Reply
        {
            Schema = Reply.CurrentSchema,
            BootId = _identity.BootId,
            Sequence = _sequence.Next(),
            Time = _time.GetUtcNow(),
            Command = request.Name,
            Id = request.Id,
            Ok = result.Code is null,
            Code = result.Code,
            Detail = result.Detail,
            Payload = result.Payload,
        };
        await SendAsync(JsonSerializer.SerializeToUtf8Bytes(reply, MessageJson.Default.Reply), request.Correlation, cancellationToken);
    }

    // A command that the broker kept comes before the link is said to be up, and a link may be lost while a command runs: somebody waits for the reply all the same.
    private async Task SendAsync(byte[] payload, byte[] correlation, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(ReplyPatience, _time);
        using var until = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            while (await _link.PublishAsync(_identity.Topics.Reply, payload, 3600, correlation, until.Token) == Delivery.NotSent)
            {
                await Task.Delay(ReplyPause, _time, until.Token);
                await _link.WaitConnectedAsync(until.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            LogUnanswered(ReplyPatience);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Command {Command}: {Code}")]
    private partial void LogAnswered(string command, string code);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A reply was not sent: for {Patience} there was no link to the broker")]
    private partial void LogUnanswered(TimeSpan patience);

    [LoggerMessage(Level = LogLevel.Error, Message = "Command {Command} failed")]
    private partial void LogCommandFailed(Exception failure, string command);
}
