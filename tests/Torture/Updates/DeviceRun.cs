using System.Diagnostics;
using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.State;

namespace Dunlin.Torture.Updates;

/// <summary>The real agent on a state directory, with a directive retained at its broker.</summary>
internal sealed class DeviceRun : IAsyncDisposable
{
    private readonly RunningProgram _program;
    private readonly MqttProbe _probe;
    private readonly DsseEnvelope _directive;

    private DeviceRun(RunningProgram program, MqttProbe probe, DsseEnvelope directive) => (_program, _probe, _directive) = (program, probe, directive);

    public string Log => _program.Log;

    public bool HasExited => _program.HasExited;

    public int Id => _program.Id;

    /// <summary>Outcomes of the directive that came while this ran, but for repetitions for whoever asks again.</summary>
    public IReadOnlyList<Outcome> Outcomes => OutcomesOf(_directive);

    private IReadOnlyList<Outcome> OutcomesOf(DsseEnvelope directive) =>
    [
        .. _probe.Messages.Where(message => message.Topic == UpdateStage.Topic("outcome")).Select(message => JsonSerializer.Deserialize(message.Payload, MessageJson.Default.Outcome)!)
            .Where(outcome => outcome.Directive == UpdateStage.IdOf(directive) && outcome.Detail != StateInvariants.Repetition).DistinctBy(outcome => (outcome.BootId, outcome.Sequence)),
    ];

    private bool HasResults => _probe.Messages.Any(message => message.Topic == UpdateStage.Topic("result"));

    public static async Task<DeviceRun> StartAsync(UpdateStage stage, string agent, string state, DsseEnvelope directive, ShimOptions? shim, CancellationToken cancellationToken)
    {
        await using (var fleet = await MqttProbe.ConnectAsync(stage.Broker)) await fleet.PublishAsync(UpdateStage.Topic("desired"), DsseEnvelope.Format.Write(directive), retain: true);
        var probe = await MqttProbe.ConnectAsync(stage.Broker, UpdateStage.Topic("outcome"), UpdateStage.Topic("result"));
        var start = new ProcessStartInfo(agent, ["run", .. Assignments(stage, state).SelectMany(assignment => (string[])["--set", assignment])]);
        start.Environment.Remove("NOTIFY_SOCKET");
        shim?.Apply(start.Environment, state);
        cancellationToken.ThrowIfCancellationRequested();
        return new DeviceRun(new RunningProgram(start), probe, directive);
    }

    /// <summary>The first outcome of the directive; null if there is none in time, or the agent ended before.</summary>
    public Task<Outcome?> EndAsync(TimeSpan within, CancellationToken cancellationToken) => EndAsync(_directive, within, cancellationToken);

    /// <summary>Leaves another directive at the broker and waits for its outcome.</summary>
    public async Task<Outcome?> PushAsync(DsseEnvelope directive, TimeSpan within, CancellationToken cancellationToken)
    {
        await _probe.PublishAsync(UpdateStage.Topic("desired"), DsseEnvelope.Format.Write(directive), retain: true);
        return await EndAsync(directive, within, cancellationToken);
    }

    private async Task<Outcome?> EndAsync(DsseEnvelope directive, TimeSpan within, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < within)
        {
            if (OutcomesOf(directive) is [var first, ..]) return first;
            if (_program.HasExited) return null;
            await Task.Delay(20, cancellationToken);
        }

        return null;
    }

    /// <summary>Waits until frames are classified.</summary>
    public async Task<bool> ClassifiesAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (!HasResults)
        {
            if (Stopwatch.GetElapsedTime(started) > within) return false;
            await Task.Delay(20, cancellationToken);
        }

        return true;
    }

    /// <summary>Waits until the process has ended by itself.</summary>
    public Task<bool> ExitedAsync(TimeSpan within, CancellationToken cancellationToken) => _program.EndsAsync(within, cancellationToken);

    /// <summary>SIGTERM, and the end.</summary>
    public async Task StopAsync()
    {
        if (!await _program.StopAsync(TimeSpan.FromSeconds(20))) throw new TimeoutException($"The agent still runs. It said:\n{Log}");
    }

    public async ValueTask DisposeAsync()
    {
        await _program.DisposeAsync();
        await _probe.DisposeAsync();
    }

    private static string[] Assignments(UpdateStage stage, string state) =>
    [
        $"Device:StateDirectory={state}", $"Device:Id={UpdateStage.Device}", $"Device:Fleet={UpdateStage.Fleet}",
        "Updates:TrialSeconds=1", "Updates:MinimumRuns=5", "Updates:MaximumInstalls=1000",
        $"Camera:Source={stage.Frames}", "Camera:FramesPerSecond=20", $"Mqtt:Host={stage.Broker.Host}", $"Mqtt:Port={stage.Broker.Port}", "Mqtt:ReconnectSeconds=5",
        "Results:Every=10", "Telemetry:WindowSeconds=1", "Race:BudgetSeconds=1",
    ];
}
