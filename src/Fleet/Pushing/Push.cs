using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Serving;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace Dunlin.Fleet.Pushing;

/// <summary>What to push.</summary>
internal sealed record PushPlan
{
    public required KnownRelease Release { get; init; }
    public required IReadOnlyList<ArtifactSource> Sources { get; init; }
    public required DirectivePolicy Policy { get; init; }
    public required TimeSpan Validity { get; init; }
}

/// <summary>How long to stay with a push.</summary>
internal sealed record Waiting(bool IsWanted, TimeSpan Patience);

/// <summary>
/// Issues directives and follows the devices: <c>push</c>, and the second half of <c>revoke</c>. Listens before it issues,
/// so that no word is missed.
/// </summary>
internal sealed class Push : IAsyncDisposable
{
    private static readonly TimeSpan BrokerPatience = TimeSpan.FromSeconds(10), Look = TimeSpan.FromMilliseconds(500), LedgerLook = TimeSpan.FromSeconds(5);
    private readonly FleetSetup _setup;
    private readonly Ledger _ledger;
    private readonly Speaker _speaker;
    private readonly Writer _writer;
    private readonly BrokerLink _link;
    private readonly PushProgress _progress = new();
    private readonly Roster _roster;
    private readonly ProgressView _view;
    private bool _hasComplained;

    public Push(FleetSetup setup, Ledger ledger, string fleet, Speaker speaker, IAnsiConsole? live, ILogger logger)
    {
        (_setup, _ledger, _speaker) = (setup, ledger, speaker);
        _writer = setup.NewWriter(ledger, logger);
        _roster = new Roster(new RetainedWait(setup.Time));
        _view = new ProgressView(_progress, speaker, live, setup.Time);
        _link = setup.NewLink("push", [.. ((string[])["status", "reported", "outcome"]).Select(kind => Topics.OfAllDevices(fleet, kind))]);
        _link.Received = arrival =>
        {
            _roster.Take(arrival);
            _progress.Take(arrival);
        };
        _link.Refused = speaker.Complain;
    }

    /// <summary>Complains of names that may be slips.</summary>
    /// <exception cref="FleetException">There is no broker, or no device.</exception>
    public async Task<IReadOnlyList<string>> FindDevicesAsync(IReadOnlyList<string> wanted, CancellationToken cancellationToken)
    {
        _link.Start();
        await _link.WaitConnectedAsync(BrokerPatience, cancellationToken);
        var devices = await _roster.ResolveAsync(wanted, _ledger, _link.RoundTrip, cancellationToken);
        if (await _roster.StrangersAsync(devices, _ledger, _link.RoundTrip, cancellationToken) is { Count: > 0 } strangers)
            _speaker.Complain($"No device of this fleet is called {string.Join(", ", strangers.Select(device => $"'{device}'"))}, and the broker knows none; it is told all the same. If that is a slip, take it out again with 'dunlin-fleet revoke device'.");
        return devices;
    }

    /// <summary>Issues the plans, each to its devices, and waits if that is wanted. Complains of a plan that is refused, and goes on. Call after <see cref="FindDevicesAsync"/>.</summary>
    /// <returns>The exit code: that of the first plan that was refused, else the worst of the devices.</returns>
    /// <exception cref="FleetException">The only plan was refused.</exception>
    public async Task<int> RunAsync(IReadOnlyList<(PushPlan Plan, IReadOnlyList<string> Devices)> plans, Waiting waiting, CancellationToken cancellationToken)
    {
        var issued = new List<IssuedReport>();
        var done = new List<(PushPlan Plan, IReadOnlyList<string> Devices)>();
        var taken = 0;
        int? refusal = null;
        foreach (var (plan, devices) in plans)
        {
            try
            {
                var answer = await IssueAsync(plan, devices, cancellationToken);
                issued.AddRange(answer.Directives ?? []);
                taken += answer.Count;
                done.Add((plan, devices));
            }
            catch (FleetException e) when (plans.Count > 1)
            {
                _speaker.Complain($"Nothing was issued for {string.Join(", ", devices)}: {e.Message}");
                refusal ??= e.ExitCode;
            }
        }

        _view.Attach();
        _progress.Expect(issued);
        if (taken < issued.Count) _speaker.Complain($"The broker has taken {taken} of {issued.Count} directives; the others go out at the next connection of 'serve' or another push.");
        var isMqtt = done.Any(plan => plan.Plan.Sources.Any(source => source.Kind == SourceKind.Mqtt));
        if (waiting.IsWanted) await _view.ShowAsync(WaitAsync(isMqtt, waiting.Patience, cancellationToken));
        var code = refusal ?? (waiting.IsWanted ? _progress.ExitCode : taken < issued.Count ? ExitCodes.Unavailable : ExitCodes.Ok);
        var report = PushReport.Of(done, _progress, code);
        _speaker.Say(report, FleetJson.Default.PushReport, report.ToText(waiting.IsWanted));
        return code;
    }

    private Task<ControlAnswer> IssueAsync(PushPlan plan, IReadOnlyList<string> devices, CancellationToken cancellationToken) =>
        _writer.AskAsync(new ControlRequest(ControlVerb.Issue, new PushOrder(plan.Release.Id, devices, plan.Sources, plan.Policy, plan.Validity)), cancellationToken);

    /// <summary>Puts all on the broker as the ledger says now.</summary>
    public Task RepublishAsync(CancellationToken cancellationToken) => _writer.AskAsync(new ControlRequest(ControlVerb.Root), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _link.DisposeAsync();
        await _writer.DisposeAsync();
    }

    // Blobs over MQTT need somebody who answers: if the writer that took the order has ended, this process steps in.
    private async Task WaitAsync(bool isMqtt, TimeSpan patience, CancellationToken cancellationToken)
    {
        var started = _setup.Time.GetTimestamp();
        var looked = started;
        while (!_progress.HasEnded && _setup.Time.GetElapsedTime(started) < patience)
        {
            await Task.Delay(Look, _setup.Time, cancellationToken);
            if (isMqtt && !_writer.IsServing) await StepInAsync(cancellationToken);
            // A device tells an end once, maybe while this link is away; 'serve' has noted it.
            if (_setup.Time.GetElapsedTime(looked) < LedgerLook) continue;
            looked = _setup.Time.GetTimestamp();
            _progress.TakeEnds(_ledger);
        }
    }

    private async Task StepInAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _writer.TryServeAsync(cancellationToken);
        }
        catch (FleetException e) when (e.ExitCode == ExitCodes.Unavailable)
        {
            if (!_hasComplained) _speaker.Complain($"{e.Message} The push goes on when it is back.");
            _hasComplained = true;
        }
    }
}
