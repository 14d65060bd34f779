using System.Threading.Channels;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;
using Dunlin.Telemetry.Link;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Dunlin.Fleet.Serving;

/// <summary>
/// The fleet's one writer: issues directives, signs commands, keeps the broker at what the ledger says, sends the beacon, answers
/// <c>blob</c> requests, and notes how directives end. Runs in <c>serve</c>, or for the length of another command. Owns
/// its keys.
/// </summary>
internal sealed partial class FleetServer : IAsyncDisposable
{
    /// <summary>Between beacons; one that is lost does no harm, since a beacon counts for a day.</summary>
    public static readonly TimeSpan BeaconInterval = TimeSpan.FromHours(1);

    private const int MaximumWaitingEndCount = 10_000;

    /// <summary>After what failed for another reason than the broker, which tells nobody when it is put right.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(30);

    private readonly ServerKeys _keys;
    private readonly Ledger _ledger;
    private readonly BrokerLink _link;
    private readonly Publisher _publisher;
    private readonly BlobResponder _blobs;
    private readonly KnownCounters _counters;
    private readonly EndRecorder _ends;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _host;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<Arrival> _arrivals = Channel.CreateBounded<Arrival>(new BoundedChannelOptions(MaximumWaitingEndCount) { FullMode = BoundedChannelFullMode.DropOldest });
    private Task[] _loops = [];

    public FleetServer(ServerKeys keys, Ledger ledger, PublishedBlobs store, MqttOptions broker, string clientId, TimeProvider time, ILogger logger)
    {
        (_keys, _ledger, _time, _logger, _host) = (keys, ledger, time, logger, broker.Host);
        _link = new BrokerLink(broker, clientId, [.. ((string[])["blob", "outcome", "reported", "desired", "fresh"]).Select(kind => Topics.OfAllDevices(keys.Fleet, kind))], time)
        {
            Received = Receive,
            Connected = ConnectedAsync,
            Note = LogTrouble,
            Refused = LogTrouble,
        };
        _publisher = new Publisher(keys, ledger, _link, time);
        _blobs = new BlobResponder(keys.Fleet, ledger.SizeOfPublished, store, _link.TryPublishAsync, time, logger);
        _counters = new KnownCounters(keys, ledger, time);
        _ends = new EndRecorder(ledger, time);
    }

    /// <summary>Connects and goes on until disposed.</summary>
    public void Start()
    {
        _link.Start();
        _loops = [_link.Running, _blobs.RunAsync(_stop.Token), BeaconsAsync(_stop.Token), TakeEndsAsync(_stop.Token)];
    }

    /// <summary>Call after <see cref="Start"/>. Ends with the first of its loops, which before the disposal only a defect ends; throws that.</summary>
    public Task WaitForEndAsync(CancellationToken cancellationToken) => Task.WhenAny(_loops).Unwrap().WaitAsync(cancellationToken);

    /// <exception cref="FleetException">The broker is not to be had within the time.</exception>
    public Task WaitConnectedAsync(TimeSpan patience, CancellationToken cancellationToken) => _link.WaitConnectedAsync(patience, cancellationToken);

    /// <summary>Does what a command asks.</summary>
    /// <exception cref="FleetException">It cannot be done.</exception>
    /// <exception cref="Contracts.Documents.DocumentException">A command to a device breaks a rule.</exception>
    public async Task<ControlAnswer> AnswerAsync(ControlRequest request, CancellationToken cancellationToken) => request switch
    {
        { Verb: ControlVerb.Issue, Order: { } order } => await InTurnAsync(() => IssueAsync(order, cancellationToken), cancellationToken),
        { Verb: ControlVerb.Beacon } => new ControlAnswer(ExitCodes.Ok, Count: await InTurnAsync(() => _publisher.BeaconAsync(cancellationToken), cancellationToken)),
        { Verb: ControlVerb.Root } => await PublishRootAsync(cancellationToken),
        { Verb: ControlVerb.Sign, Command: { } command } => SignCommand(command),
        _ => throw new FleetException(ExitCodes.InputMissing, $"The request '{request.Verb}' is not known to this 'dunlin-fleet serve'; restart it as the same version."),
    };

    /// <summary>As above, for another process: what fails is logged here, and told there.</summary>
    public async Task<ControlAnswer> AnswerOthersAsync(ControlRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await AnswerAsync(request, cancellationToken);
        }
        catch (Exception e) when (Failures.CodeOf(e) is { } code)
        {
            var sentence = Failures.Sentence(e);
            LogRefused(request.Verb, sentence);
            return new ControlAnswer(code, sentence);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogFault(e, $"{request.Verb}", e.Message);
            return new ControlAnswer(ExitCodes.Bug, $"The dunlin-fleet that serves failed at this ({e.Message}); its log says more.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _link.DisposeAsync();
        await Task.WhenAll(_loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _publisher.Dispose();
        _keys.Dispose();
        _gate.Dispose();
        _stop.Dispose();
    }

    private async Task ConnectedAsync(CancellationToken cancellationToken)
    {
        LogConnected(_host);
        await InTurnAsync(() => _publisher.AllAsync(cancellationToken), cancellationToken);
    }

    // One at a time, and none before what the broker holds of ours is read: if this database was lost, is an old copy, or not the only one, its counters would fall.
    private async Task<T> InTurnAsync<T>(Func<Task<T>> act, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            int? connection = _link.IsConnected ? _link.ConnectionCount : null;
            foreach (var (device, counter) in await _counters.LearnAsync(connection, _link.RoundTrip, cancellationToken)) LogCounterRaised(device, counter);
            TakeUpRoot();
            return await act();
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Signs, keeps and publishes a directive for each device. Without a broker they are kept, and go out with the next connection.</summary>
    /// <exception cref="FleetException">The release is unknown, revoked, or not signed for this root.</exception>
    private async Task<ControlAnswer> IssueAsync(PushOrder order, CancellationToken cancellationToken)
    {
        var release = _ledger.Release(order.Release) ?? throw new FleetException(ExitCodes.InputMissing, $"The release {order.Release} is not in the fleet's database; name its bundle.");
        if (release.Revoked is { } revoked)
            throw new FleetException(ExitCodes.InputMissing, $"'{release.Title}' ({release.Id}) was revoked at {revoked:u}; push another release.");
        release.RequireSigned(_keys.Root);
        var now = _time.GetUtcNow();
        var issued = _ledger.Issue(order.Devices, release.Id, now, now + order.Validity, (device, counter) => _keys.SignDirective(order, release, device, counter, now));
        var taken = await _publisher.DirectivesAsync(order.Devices, cancellationToken);
        LogIssued(release.Title, issued.Count);
        return new ControlAnswer(ExitCodes.Ok, null, [.. issued.Select(directive => new IssuedReport(directive.Device, directive.Counter, directive.Digest))], taken);
    }

    /// <summary>Takes up a rotated root and publishes everything under it.</summary>
    private async Task<ControlAnswer> PublishRootAsync(CancellationToken cancellationToken)
    {
        var (isRootTaken, count, isCleared) = await InTurnAsync(() => _publisher.AllAsync(cancellationToken), cancellationToken);
        return new ControlAnswer(ExitCodes.Ok, Count: count, IsRootTaken: isRootTaken, IsCleared: isCleared);
    }

    /// <summary>Signs a command, for who asks to publish.</summary>
    private ControlAnswer SignCommand(CommandOrder order)
    {
        TakeUpRoot();
        var envelope = _keys.SignCommand(order, _time.GetUtcNow());
        LogCommand(order.Request.Name, order.Device);
        return new ControlAnswer(ExitCodes.Ok, Envelope: envelope);
    }

    private void TakeUpRoot()
    {
        if (_keys.Refresh()) LogRoot(_keys.Root.Version);
    }

    // Runs on the link's loop: the blob queue and the channel take at once.
    private void Receive(Arrival arrival)
    {
        var parts = arrival.Topic.Split('/');
        if (parts.Length != 5 || !DeviceName.IsValid(parts[3])) return;
        switch (parts[4])
        {
            case "blob": _blobs.Take(parts[3], arrival.Payload, arrival.Correlation); break;
            case "desired" or "fresh": _counters.Take(parts[3], arrival.Payload); break;
            default: _arrivals.Writer.TryWrite(arrival); break;
        }
    }

    private async Task TakeEndsAsync(CancellationToken cancellationToken)
    {
        await foreach (var arrival in _arrivals.Reader.ReadAllAsync(cancellationToken))
            while (await FaultOfAsync("noting how a directive ended", () => NoteEnd(arrival), cancellationToken) is SqliteException)
                await Task.Delay(Retry, _time, cancellationToken);
    }

    private Task NoteEnd(Arrival arrival)
    {
        if (_ends.Take(arrival) is { } end) LogEnded(end.Device, end.Result, end.Reason);
        return Task.CompletedTask;
    }

    private async Task BeaconsAsync(CancellationToken cancellationToken)
    {
        var wait = BeaconInterval;
        while (true)
        {
            await Task.Delay(wait, _time, cancellationToken);
            wait = await FaultOfAsync("the beacon", () => SendBeaconAsync(cancellationToken), cancellationToken) is null ? BeaconInterval : Retry;
        }
    }

    private async Task SendBeaconAsync(CancellationToken cancellationToken)
    {
        var count = await _publisher.BeaconAsync(cancellationToken);
        LogBeacon(count);
    }

    // A loop that a fault ended would be missed by nobody until a device needs it.
    private async Task<Exception?> FaultOfAsync(string what, Func<Task> act, CancellationToken cancellationToken)
    {
        try
        {
            await act();
            return null;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogFault(Failures.BugOf(e), what, Failures.Sentence(e));
            return e;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Connected to broker {Host}")]
    private partial void LogConnected(string host);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Sentence}")]
    private partial void LogTrouble(string sentence);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused a request ({Verb}): {Sentence}")]
    private partial void LogRefused(ControlVerb verb, string sentence);

    [LoggerMessage(Level = LogLevel.Error, Message = "Failed at {What}: {Sentence}")]
    private partial void LogFault(Exception? bug, string what, string sentence);

    [LoggerMessage(Level = LogLevel.Information, Message = "Issued '{Title}' to {Count} devices")]
    private partial void LogIssued(string title, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Device} ended a directive as {Result}, reason {Reason}")]
    private partial void LogEnded(string device, Contracts.Updates.UpdateState result, string? reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Signed the command {Name} for {Device}")]
    private partial void LogCommand(string name, string device);

    [LoggerMessage(Level = LogLevel.Information, Message = "Sent the beacon to {Count} devices")]
    private partial void LogBeacon(int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Root {Version} is in force")]
    private partial void LogRoot(int version);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The broker has counter {Counter} for {Device}, and the database had a lower one: is it an old copy, or was there a push with another? Counting goes on from there, and no older directive is put in the place of that one; push again what is to run")]
    private partial void LogCounterRaised(string device, long counter);
}
