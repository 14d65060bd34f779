using System.Diagnostics;
using System.Text.Json;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Systemd;

[assembly: AssemblyFixture(typeof(Dunlin.EndToEnd.Tests.Agents.FirstRun))]

namespace Dunlin.EndToEnd.Tests.Agents;

/// <summary>
/// An agent that began with nothing, raced, served and was stopped, once for all tests: what it published, and the state it
/// left, with which others begin at the cached verdict.
/// </summary>
public sealed class FirstRun : IAsyncLifetime
{
    private readonly TemporaryFolder _space = new();

    /// <summary>Everything on the broker, in order.</summary>
    public IReadOnlyList<ProbedMessage> Messages { get; private set; } = [];

    public IReadOnlyList<string> Notified { get; private set; } = [];

    public string Log { get; private set; } = "";

    public int ExitCode { get; private set; } = -1;

    public TimeSpan StopTime { get; private set; }

    /// <summary>Children at the moment of SIGTERM.</summary>
    public IReadOnlyList<int> Children { get; private set; } = [];

    internal string Frames => _space["frames"];

    internal AgentSetup Setup { get; private set; } = new() { StateDirectory = "", Camera = "", Port = 0 };

    public async ValueTask InitializeAsync()
    {
        await Images.FolderAsync(Frames);
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        using var socket = new NotifySocket();
        Setup = new AgentSetup { StateDirectory = _space["state"], Camera = Frames, Port = broker.Port };
        await using var agent = AgentProcess.Run(Setup, socket.Path);
        await agent.SaysAsync("Race over", TimeSpan.FromSeconds(90));
        var winner = (await probe.NextAsync(Setup.Topic("race"))).Json.GetProperty("winner").ToString();
        await probe.NextAsync(Setup.Topic("reported"), message => message.Json.TryGetProperty("running", out var running) && running.ToString() == winner);
        // The window in which the sessions changed may still be the other one's, or end a moment after the change.
        await probe.NextAsync(Setup.Topic("telemetry"), message => message.Json.GetProperty("running").ToString() == winner && IsWhole(message));
        var variant = JsonElement.Parse(winner).GetProperty("variant").GetString();
        await probe.NextAsync(Setup.Topic("result"), message => message.Json.GetProperty("variant").GetString() == variant);
        Children = agent.Children;
        var started = Stopwatch.GetTimestamp();
        agent.Terminate();
        ExitCode = await agent.EndAsync();
        StopTime = Stopwatch.GetElapsedTime(started);
        await probe.NextAsync(Setup.Topic("status"), message => message.Json.GetProperty("state").GetString() == "stopped");
        (Messages, Log, Notified) = (probe.Messages, agent.Log, socket.Messages);
    }

    /// <summary>A setup whose state is a copy of what the first run has left.</summary>
    internal AgentSetup Again(TemporaryFolder space, int port)
    {
        RepositoryFolder.Copy(Setup.StateDirectory, space["state"]);
        return Setup with { StateDirectory = space["state"], Port = port };
    }

    /// <summary>A window that no change of sessions cut short.</summary>
    internal static bool IsWhole(ProbedMessage telemetry) => telemetry.Json.GetProperty("windowSeconds").GetDouble() > 0.5;

    public ValueTask DisposeAsync()
    {
        _space.Dispose();
        return ValueTask.CompletedTask;
    }
}
