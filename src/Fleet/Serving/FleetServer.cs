using System.Threading.Channels;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;
using Dunlin.Telemetry.Link;
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
    private readonly ServerKeys _keys;
    private readonly Ledger _ledger;
    private readonly BrokerLink _link;
    private readonly Publisher _publisher;
    private readonly BlobResponder _blobs;
    private readonly KnownCounters _counters;
    private readonly EndRecorder _ends;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<Arrival> _arrivals = Channel.CreateBounded<Arrival>(new BoundedChannelOptions(MaximumWaitingEndCount) { FullMode = BoundedChannelFullMode.DropOldest });
    private Task _running = Task.CompletedTask;

    public FleetServer(ServerKeys keys, Ledger ledger, PublishedBlobs store, MqttOptions broker, string clientId, TimeProvider time, ILogger logger)
    {
        (_keys, _ledger, _time, _logger) = (keys, ledger, time, logger);
        _link = new BrokerLink(broker, clientId, [.. ((string[])["blob", "outcome", "reported", "desired", "fresh"]).Select(kind => Topics.OfAllDevices(keys.Fleet, kind))], time)
        {
            Received = Receive,
            Connected = ConnectedAsync,
            Note = LogLink,
        };
        _publisher = new Publisher(keys, ledger, _link, time);
        _blobs = new BlobResponder(keys.Fleet, ledger.SizeOfPublished, store, _link.TryPublishAsync, time);
        _counters = new KnownCounters(keys, ledger, time);
        _ends = new EndRecorder(ledger, time);
    }

    /// <summary>Connects and goes on until disposed.</summary>
    public void Start()
    {
        _link.Start();
        _running = Task.WhenAll(_blobs.RunAsync(_stop.Token), BeaconsAsync(_stop.Token), TakeEndsAsync(_stop.Token));
    }

    /// <exception cref="FleetException">The broker is not to be had within the time.</exception>
    public Task WaitConnectedAsync(TimeSpan patience, CancellationToken cancellationToken) => _link.WaitConnectedAsync(patience, cancellationToken);

    /// <summary>Signs, keeps and publishes a directive for each device. Without a broker they are kept, and go out with the next connection.</summary>
    /// <exception cref="FleetException">The release is unknown, revoked, or not signed for this root.</exception>
    public async Task<ControlAnswer> IssueAsync(PushOrder order, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            TakeUpRoot();
            var release = _ledger.Release(order.Release) ?? throw new FleetException(ExitCodes.InputMissing, $"The release {order.Release} is not in the fleet's database; name its bundle.");
            if (release.Revoked is { } revoked)
                throw new FleetException(ExitCodes.InputMissing, $"'{release.Title}' ({release.Id}) was revoked at {revoked:u}; push another release.");
            var envelope = EnvelopeReader.Read(release.Envelope.Span).GetOrThrow();
            if (EnvelopeVerifier.Verify(envelope, SigningRole.Release, _keys.Root) is { IsAccepted: false } refused)
                throw new FleetException(ExitCodes.BelowThreshold, $"'{release.Title}' would be refused by every device: {refused.Detail}");
            var now = _time.GetUtcNow();
            var issued = _ledger.Issue(order.Devices, release.Id, now, now + order.Validity, (device, counter) => _keys.SignDirective(order, release, device, counter, now));
            var taken = await _publisher.DirectivesAsync(order.Devices, cancellationToken);
            LogIssued(release.Title, issued.Count);
            return new ControlAnswer(ExitCodes.Ok, null, [.. issued.Select(directive => new IssuedReport(directive.Device, directive.Counter, directive.Digest))], taken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Signs a command, for who asks to publish.</summary>
    /// <exception cref="Contracts.Documents.DocumentException">It breaks a rule of commands.</exception>
    public ControlAnswer SignCommand(CommandOrder order)
    {
        TakeUpRoot();
        var envelope = _keys.SignCommand(order, _time.GetUtcNow());
        LogCommand(order.Request.Name, order.Device);
        return new ControlAnswer(ExitCodes.Ok, Envelope: envelope);
    }

    /// <summary>Sends the beacon now; how many devices' the broker took.</summary>
    public Task<int> BeaconAsync(CancellationToken cancellationToken) => _publisher.BeaconAsync(cancellationToken);

    /// <summary>Takes up a rotated root and publishes everything under it.</summary>
    public async Task<int> PublishRootAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            TakeUpRoot();
            return await _publisher.AllAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _link.DisposeAsync();
        _publisher.Dispose();
        _keys.Dispose();
        _gate.Dispose();
        _stop.Dispose();
    }

    // What the broker holds of ours is read first: if this database was lost or is an old copy, its counters would fall.
    private async Task ConnectedAsync(CancellationToken cancellationToken)
    {
        foreach (var (device, counter) in await _counters.LearnAsync(cancellationToken)) LogCounterRaised(device, counter);
        TakeUpRoot();
        await _publisher.AllAsync(cancellationToken);
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
        {
            if (_ends.Take(arrival) is { } end) LogEnded(end.Device, end.Result, end.Reason);
        }
    }

    private async Task BeaconsAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(BeaconInterval, _time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            var count = await _publisher.BeaconAsync(cancellationToken);
            LogBeacon(count);
        }
    }

    private void LogLink(string sentence)
    {
        if (_link.Trouble is null) LogLinkGood(sentence);
        else LogLinkTrouble(sentence);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Sentence}")]
    private partial void LogLinkGood(string sentence);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Sentence}")]
    private partial void LogLinkTrouble(string sentence);

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

    [LoggerMessage(Level = LogLevel.Warning, Message = "The broker has counter {Counter} for {Device}, and the database had a lower one: is it an old copy? Counting goes on from there")]
    private partial void LogCounterRaised(string device, long counter);
}
