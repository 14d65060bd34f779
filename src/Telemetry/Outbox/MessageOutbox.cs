using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Liveness;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Telemetry.Outbox;

/// <summary>Where the outbox lies.</summary>
/// <param name="Outcomes">Directory of the outcomes.</param>
/// <param name="Telemetry">Directory of the telemetry.</param>
public sealed record OutboxDirectories(string Outcomes, string Telemetry);

/// <summary>
/// Keeps outcomes and telemetry on disk until the broker has them: outcomes synced at once and never dropped, telemetry
/// bounded with the oldest dropped and counted. Adding never blocks for the network and never fails.
/// </summary>
public sealed partial class MessageOutbox : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Between two messages of a backlog, so that a returning fleet does not flood its broker.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);

    /// <summary>Until an outcome that the broker refused is tried again.</summary>
    private static readonly TimeSpan RefusalPause = TimeSpan.FromSeconds(10);

    private readonly MqttLink _link;
    private readonly Topics _topics;
    private readonly MqttOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<MessageOutbox> _logger;
    private readonly LoopTick _tick;
    private readonly MessageQueue _outcomes;
    private readonly MessageQueue _telemetry;
    private readonly Lock _settling = new();
    private readonly HashSet<Digest> _unsettled = [];
    private long _synced;
    private long _refused;
    private string? _logged;

    public MessageOutbox(
        OutboxDirectories directories, MqttLink link, LinkIdentity identity, MqttOptions options, LoopTicks ticks, TimeProvider time,
        ILogger<MessageOutbox> logger)
    {
        (_link, _topics, _options, _time, _logger) = (link, identity.Topics, options, time, logger);
        _outcomes = new MessageQueue(directories.Outcomes, long.MaxValue, Overflow.Keep);
        _telemetry = new MessageQueue(directories.Telemetry, _options.OutboxByteCount, Overflow.DropOldest);
        _tick = ticks.Register("outbox", Interval * 5);
    }

    /// <summary>For the next telemetry window.</summary>
    public OutboxCounts Counts => new() { Queued = _telemetry.QueuedCount, Dropped = _telemetry.DroppedCount };

    /// <summary>Outcomes that the broker does not have yet.</summary>
    public long QueuedOutcomeCount => _outcomes.QueuedCount;

    /// <summary>Why it keeps or loses messages beside the broker's absence, in a sentence, or null.</summary>
    public string? Problem => _outcomes.Problem ?? _telemetry.Problem;

    /// <summary>
    /// Adds an outcome unless one of the same directive is on the disk, then settles: whoever dies in here finds the outcome
    /// there or not yet added, also if it was sent before it could be settled, so that a directive has exactly one.
    /// </summary>
    /// <param name="outcome">How a directive ended.</param>
    /// <param name="settle">Remembers that the outcome was added; what it throws comes out.</param>
    public void Add(Outcome outcome, Action settle)
    {
        lock (_settling)
        {
            if (!_unsettled.Contains(outcome.Directive) && !_outcomes.Any(payload => DirectiveOf(payload) == outcome.Directive, alsoAcknowledged: true)) Add(outcome);
            _unsettled.Add(outcome.Directive);
            settle();
            _unsettled.Remove(outcome.Directive);
        }
    }

    /// <summary>Adds an outcome again, for whoever asks again, unless one of the same directive still waits.</summary>
    public void Repeat(Outcome outcome)
    {
        if (!_outcomes.Any(payload => DirectiveOf(payload) == outcome.Directive)) Add(outcome);
    }

    public void Add(Outcome outcome) => _outcomes.Append(JsonSerializer.SerializeToUtf8Bytes(outcome, MessageJson.Default.Outcome));

    public void Add(TelemetryWindow window) =>
        _telemetry.Append(JsonSerializer.SerializeToUtf8Bytes(window, MessageJson.Default.TelemetryWindow));

    public override void Dispose()
    {
        base.Dispose();
        _outcomes.Dispose();
        _telemetry.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                _tick.Tick();
                await DrainAsync(stoppingToken);
                SyncNowAndThen();
                LogChange();
                await WaitAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping is no error; what is left goes out after the next start.
        }
        finally
        {
            _tick.Retire();
        }
    }

    private async Task DrainAsync(CancellationToken cancellationToken)
    {
        while (_link.State.IsConnected)
        {
            if (!OutcomesRest && NextOutcome() is { } outcome)
            {
                var delivery = await _tick.TickUntilAsync(_link.PublishAsync(_topics.Outcome, outcome.Payload, 0, default, cancellationToken));
                if (delivery == Delivery.NotSent) return;
                // A refused one stays: someone must correct the access list, and it is then still there. Telemetry need not wait for that.
                if (delivery == Delivery.Refused) _refused = _time.GetTimestamp();
                else _outcomes.Acknowledge(outcome);
            }
            else if (_telemetry.Peek() is { } window)
            {
                var expiry = (uint)_options.TelemetryExpirySeconds;
                var delivery = await _tick.TickUntilAsync(_link.PublishAsync(_topics.Telemetry, window.Payload, expiry, default, cancellationToken));
                if (delivery == Delivery.NotSent) return;
                if (delivery == Delivery.Refused) _telemetry.Discard(window);
                else _telemetry.Acknowledge(window);
            }
            else
            {
                return;
            }

            if (_telemetry.QueuedCount > 1) await Task.Delay(Pace, _time, cancellationToken);
        }
    }

    private bool OutcomesRest => _refused != 0 && _time.GetElapsedTime(_refused) < RefusalPause;

    /// <summary>An outcome of a newer agent, which this one replaced, may say what this one does not know, and still is of a directive.</summary>
    private static Digest? DirectiveOf(byte[] payload) => JsonSerializer.Deserialize(payload, MessageJson.Default.OutcomeKey)?.Directive;

    private QueuedMessage? NextOutcome()
    {
        lock (_settling) return _outcomes.Peek();
    }

    private void SyncNowAndThen()
    {
        if (_synced != 0 && _time.GetElapsedTime(_synced) < TimeSpan.FromSeconds(30)) return;
        _synced = _time.GetTimestamp();
        _telemetry.Sync();
    }

    private void LogChange()
    {
        var problem = Problem;
        if (problem == _logged) return;
        _logged = problem;
        if (problem is not null) LogProblem(problem);
    }

    private async Task WaitAsync(CancellationToken stoppingToken)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var work = _link.State.IsConnected ? Arrivals() : [_link.WaitConnectedAsync(done.Token)];
        // After a failure something still waits: come back after the interval, not at once.
        if (work.Any(task => task.IsCompleted)) work = [Task.Delay(TimeSpan.FromMilliseconds(200), _time, done.Token)];
        // One wait for all of them takes itself off those that have not ended: they may not for weeks.
        await Task.WhenAny([.. work, Task.Delay(Interval, _time, done.Token)]);
        await done.CancelAsync();
        stoppingToken.ThrowIfCancellationRequested();
    }

    private Task[] Arrivals() => OutcomesRest ? [_telemetry.Arrived] : [_outcomes.Arrived, _telemetry.Arrived];

    [LoggerMessage(Level = LogLevel.Error, Message = "{Problem}")]
    private partial void LogProblem(string problem);
}
