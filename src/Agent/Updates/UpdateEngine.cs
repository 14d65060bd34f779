using System.Threading.Channels;
using Dunlin.Agent.Reporting;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Telemetry.Liveness;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Updates;

/// <summary>
/// Drives one update at a time through the table of states: one loop takes documents, journals each state, runs its action
/// beside itself, and goes on when it has ended. What fails becomes a state and a report in one place, here.
/// </summary>
internal sealed partial class UpdateEngine : IDisposable
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IdleTickInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestTickInterval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);

    private readonly Channel<Incoming> _inbox = Channel.CreateBounded<Incoming>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly UpdateParts _parts;
    private readonly UpdateRecords _records;
    private readonly UpdateSteps _steps;
    private readonly DocumentDesk _desk;
    private readonly UpdateStory _story;
    private readonly DeviceReport _report;
    private readonly TimeProvider _time;
    private readonly ILogger<UpdateEngine> _logger;
    private readonly LoopTick _tick;
    private readonly UpdateFailure? _abandoned;
    private readonly ReleaseInspection _inspection;
    private Task<StepEnd>? _step;
    private CancellationTokenSource _stepStop = new();
    private StepEnd? _interruption;
    private StepEnd? _unwritten;
    private long _retryAt;

    public UpdateEngine(
        UpdateParts parts, UpdateRecords records, UpdateSteps steps, DocumentDesk desk, UpdateStory story, DeviceReport report, BootRecovery recovery, LoopTicks ticks, TimeProvider time,
        ILogger<UpdateEngine> logger)
    {
        (_abandoned, _inspection) = (recovery.Abandoned, new ReleaseInspection(parts.Releases, time));
        (_parts, _records, _steps, _desk, _story, _report, _time, _logger) = (parts, records, steps, desk, story, report, time, logger);
        _tick = ticks.Register("updates", LongestTickInterval);
    }

    private Journal Journal => _records.Journal;

    private UpdateState State => Journal.State;

    /// <summary>A document from the broker; from any thread, never waits. The payload is the receiver's own.</summary>
    public void Receive(DocumentKind kind, ReadOnlyMemory<byte> payload, bool isRetained) => _inbox.Writer.TryWrite(new Incoming(kind, payload, isRetained));

    /// <param name="cancellationToken">Stops between two actions; the journal knows where.</param>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            Resume(cancellationToken);
            while (!cancellationToken.IsCancellationRequested)
            {
                _tick.Tick();
                while (_inbox.Reader.TryRead(out var incoming))
                    if (_desk.Take(incoming) is { } end) Interrupt(end);
                _story.Watch();
                GoOn(cancellationToken);
                await WaitAsync(cancellationToken);
            }
        }
        finally
        {
            await _stepStop.CancelAsync();
            if (_step is not null) await _step.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            _tick.Retire();
        }
    }

    public void Dispose() => _stepStop.Dispose();

    private void Resume(CancellationToken cancellationToken)
    {
        if (!_records.IsUnderWay)
        {
            CollectCache();
            if (Journal.Directive is { } last && _records.Find(last) is { } seen) _story.Tell(seen.Result, Journal.Reason, Journal.Detail);
            else _story.Tell(UpdateState.Idle, null, null);
            return;
        }

        LogResumed(State, Journal.Release!.Value);
        if (_abandoned is { } abandoned)
        {
            Move(StepEnd.Failed(abandoned.Code, abandoned.Detail), cancellationToken);
            return;
        }

        // The start has counted and journalled switch and trial before anything was loaded.
        if (UpdateTable.IsSwitched(State) || UpdateTable.IsEnd(State)) Begin(cancellationToken);
        else Move(new StepEnd(UpdateEvent.Restarted), cancellationToken);
    }

    /// <summary>A new factory bundle, or a new ONNX Runtime, leaves saved models behind that nobody loads any more.</summary>
    private void CollectCache()
    {
        try
        {
            _parts.Proof.CollectCache(_parts.Releases.Kept);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotCollected(e.Message);
        }
    }

    /// <summary>Whatever can be done now: the end of an action, a write that failed before, the next directive.</summary>
    private void GoOn(CancellationToken cancellationToken)
    {
        if (_step is { IsCompleted: true } ended)
        {
            _step = null;
            var end = EndOf(ended);
            // An end may not be interrupted: it is the roll-back itself.
            Move(UpdateTable.IsEnd(State) ? end : _interruption ?? end, cancellationToken);
        }

        if (_step is not null || _time.GetTimestamp() < _retryAt) return;
        if (_unwritten is { } unwritten) Move(unwritten, cancellationToken);
        else if (_records.IsUnderWay) Begin(cancellationToken);
        else if (_desk.HasNext) BeginNext(cancellationToken);
        else Repair(cancellationToken);
    }

    private StepEnd EndOf(Task<StepEnd> step)
    {
        if (step.IsCompletedSuccessfully) return step.GetAwaiter().GetResult();
        var failure = step.Exception?.InnerException;
        if (step.IsCanceled || failure is OperationCanceledException) return new StepEnd(UpdateEvent.Restarted);
        var (code, detail) = UpdateFailure.Of(failure!);
        if (code == UpdateCodes.Fault) LogFault(failure!, State);
        return StepEnd.Failed(code, detail);
    }

    /// <summary>The one place where a state changes: to the journal first, then its action.</summary>
    private void Move(StepEnd end, CancellationToken cancellationToken)
    {
        if (UpdateTable.IsEnd(State) && end.Event != UpdateEvent.Done)
        {
            // An end has to be reached: it is tried until the disk takes it.
            if (end.Code == UpdateCodes.DiskFull) FreeReserve();
            Postpone(end.Detail ?? "It was broken off.");
            return;
        }

        if (UpdateTable.After(State, end.Event) is not { } next) return;
        if (!UpdateTable.IsEnd(State) && !UpdateTable.IsEnd(next) && Journal.Transitions >= UpdateTable.MaximumTransitions)
            (next, end) = (UpdateState.RolledBack, StepEnd.Failed(UpdateCodes.TooManyTransitions, $"After {Journal.Transitions} transitions it had not ended; look at the log for what was done again and again."));
        var journal = Journal with
        {
            State = next,
            Transitions = Journal.Transitions + 1,
            Reason = next == UpdateState.Idle ? Journal.Reason : end.Code,
            Detail = next == UpdateState.Idle ? Journal.Detail : end.Detail,
            Previous = next == UpdateState.Switching ? _parts.Releases.Active : Journal.Previous,
            Tries = next switch { UpdateState.Switching => 0, UpdateState.Trial => Journal.Tries + 1, _ => Journal.Tries },
        };
        if (!TryWrite(journal))
        {
            _unwritten = end;
            return;
        }

        (_unwritten, _interruption) = (null, null);
        if (next == UpdateState.Idle)
        {
            _report.SetProblem("garbage", end.Detail);
            if (end.Detail is { } left) LogNotCollected(left);
            return;
        }

        if (end.Code is { } code) LogEnd(next, code, end.Detail ?? "");
        else LogState(next, journal.Release!.Value);
        if (end.Code is null && end.Detail is null) _story.TellBegun(next);
        else _story.Tell(next, end.Code, end.Detail);
        Begin(cancellationToken);
    }

    private void Begin(CancellationToken cancellationToken)
    {
        if (!_records.IsUnderWay) return;
        _stepStop.Dispose();
        _stepStop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (state, stop) = (State, _stepStop.Token);
        // Actions begin with synchronous work on the disk; the loop must not wait for it.
        _step = Task.Run(() => _steps.RunAsync(state, (progress, detail) => _story.TellProgress(state, progress, detail), stop), CancellationToken.None);
    }

    /// <summary>Ends the action under way otherwise than by itself.</summary>
    private void Interrupt(StepEnd end)
    {
        if (UpdateTable.IsEnd(State) || !_records.IsUnderWay) return;
        if (_unwritten is not null) _unwritten = end;
        else _interruption = end;
        _stepStop.Cancel();
    }

    private void BeginNext(CancellationToken cancellationToken)
    {
        try
        {
            if (_desk.TakeNext() is not var (envelope, directive)) return;
            if (!Accept(envelope, directive, cancellationToken)) _desk.PutBack(envelope, directive);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var (code, detail) = UpdateFailure.Of(e);
            Postpone($"{code}: {detail}");
        }
    }

    /// <returns>False: the disk does not take it now.</returns>
    private bool Accept(DsseEnvelope envelope, Directive directive, CancellationToken cancellationToken)
    {
        var journal = new Journal
        {
            Schema = Journal.CurrentSchema,
            State = UpdateState.Received,
            Directive = Digest.Of(envelope.Payload.Span),
            Envelope = envelope,
            Release = directive.Release,
            Transitions = 1,
        };
        if (!TryWrite(journal)) return false;
        LogAccepted(directive.Counter, directive.Release);
        _report.SetProblem("release", null);
        _story.TellBegun(UpdateState.Received);
        Begin(cancellationToken);
        return true;
    }

    /// <summary>A release that lost bytes on the disk is fetched again by the directive that brought it.</summary>
    private void Repair(CancellationToken cancellationToken)
    {
        if (!_desk.CanJudge || _inspection.FindDamage() is not var (active, stored)) return;
        if (_parts.Releases.DirectiveOf(active) is not var (envelope, directive))
        {
            _report.SetProblem("release", $"{stored.Problem} Its directive is not known any more; push the release again.");
            _inspection.LookAgain();
            return;
        }

        LogRepair(active, stored.Problem ?? "");
        if (Accept(envelope, directive, cancellationToken)) _inspection.LookAgain();
    }

    private bool TryWrite(Journal journal)
    {
        try
        {
            _records.Write(journal);
            _report.SetProblem("updates", null);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var (code, detail) = UpdateFailure.Of(e);
            if (code == UpdateCodes.DiskFull && (UpdateTable.IsEnd(journal.State) || UpdateTable.IsEnd(State))) FreeReserve();
            Postpone($"{code}: {detail}");
            return false;
        }
    }

    private void Postpone(string why)
    {
        _report.SetProblem("updates", $"The update waits in the state {State}. {why}");
        LogPostponed(State, why);
        _retryAt = _time.GetTimestamp() + (long)(RetryInterval.TotalSeconds * _time.TimestampFrequency);
    }

    private void FreeReserve()
    {
        try
        {
            _parts.Blobs.FreeReserve();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogPostponed(State, e.Message);
        }
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var arrived = _inbox.Reader.WaitToReadAsync(enough.Token).AsTask();
        var tick = Task.Delay(_records.IsUnderWay ? TickInterval : IdleTickInterval, _time, enough.Token);
        Task?[] ends = [_step, _inspection.UnderWay];
        await Task.WhenAny([arrived, tick, .. ends.OfType<Task>()]);
        await enough.CancelAsync();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Update goes on after a restart: {State}, release {Release}")]
    private partial void LogResumed(UpdateState state, Digest release);

    [LoggerMessage(Level = LogLevel.Information, Message = "Directive {Counter} accepted: release {Release}")]
    private partial void LogAccepted(long counter, Digest release);

    [LoggerMessage(Level = LogLevel.Information, Message = "Update {State}: release {Release}")]
    private partial void LogState(UpdateState state, Digest release);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Update {State}, {Code}: {Detail}")]
    private partial void LogEnd(UpdateState state, string code, string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "Update waits in {State}: {Why}")]
    private partial void LogPostponed(UpdateState state, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What nobody needs stays on the disk: {Why}")]
    private partial void LogNotCollected(string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "Update broke down in {State}")]
    private partial void LogFault(Exception failure, UpdateState state);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Release {Release} is damaged on the disk and fetched again: {Problem}")]
    private partial void LogRepair(Digest release, string problem);
}
