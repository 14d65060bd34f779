using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;

namespace Dunlin.EndToEnd.Tests.Updates;

/// <summary>An enrolled agent with its owner, broker and probe; it runs a first release that was committed, or its factory bundle.</summary>
internal sealed class UpdatedAgent : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _space = new();
    private readonly string _frames;

    private UpdatedAgent(string frames) => _frames = frames;

    public Owner Owner { get; private set; } = null!;
    public MosquittoBroker Broker { get; private set; } = null!;
    public MqttProbe Probe { get; private set; } = null!;
    public AgentSetup Setup { get; private set; } = null!;
    public AgentProcess Agent { get; private set; } = null!;
    public Release Factory { get; private set; } = null!;

    public StateLayout Layout => new(Setup.StateDirectory);

    public string? Active => new FileInfo(Layout.Active).LinkTarget;

    public string? LastGood => new FileInfo(Layout.LastGood).LinkTarget;

    public UpdateState State => File.Exists(Layout.Journal) && Journal.Format.Read(File.ReadAllBytes(Layout.Journal)).Value is { } journal ? journal.State : UpdateState.Idle;

    /// <param name="first">Has the frames.</param>
    /// <param name="set">Further assignments.</param>
    public static Task<UpdatedAgent> StartAsync(FirstRun first, params string[] set) => StartAsync(first, setup => setup with { Set = set });

    /// <param name="first">Has the frames.</param>
    /// <param name="change">Of the device.</param>
    public static async Task<UpdatedAgent> StartAsync(FirstRun first, Func<AgentSetup, AgentSetup> change)
    {
        var made = new UpdatedAgent(first.Frames);
        made.Owner = new Owner(made._space);
        made.Broker = await MosquittoBroker.StartAsync();
        made.Probe = await MqttProbe.ConnectAsync(made.Broker, "dunlin/v1/#");
        made.Factory = made.Owner.Publish();
        made.Setup = made.Owner.Enroll(change(new AgentSetup { StateDirectory = made._space["state"], Camera = made._frames, Port = made.Broker.Port }), made.Factory);
        made.Agent = AgentProcess.Run(made.Setup);
        try
        {
            await made.Probe.NextAsync(made.Setup.Topic("result"), null, Patience);
            await made.Agent.SaysAsync("Race over", Patience);
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    /// <summary>As after a power cut: the process is gone, and another one starts.</summary>
    public async Task KillAndStartAsync()
    {
        await Agent.DisposeAsync();
        Agent = AgentProcess.Run(Setup);
    }

    public async Task CommitsAsync(Digest directive)
    {
        var outcome = await Owner.OutcomeAsync(directive, Setup, Probe, Agent);
        Assert.True(outcome.GetProperty("result").GetString() == "committed", $"{outcome}; the agent said:\n{Agent.Log}");
    }

    public Task ServesAsync(Release release, int after) => TestKit.Waiting.Eventually.TrueAsync(
        () => Probe.Messages.Skip(after).LastOrDefault(m => m.Topic == Setup.Topic("result"))?.Json.GetProperty("release").GetString() == release.Id,
        () => $"results of {release.Id} come; the agent said:\n{Agent.Log}", Patience);

    /// <summary>What must hold at any moment (I1, I2, I4 and I6 of <c>StateInvariants</c>), as files and the broker show it.</summary>
    public void InvariantsHold()
    {
        foreach (var link in (string?[])[Active, LastGood])
            if (link is not null) Assert.True(File.Exists(Path.Combine(Layout.Root, link, "manifest.json")), $"{link} is not complete");
        Assert.True(ReadsAsJournal(Layout.Journal) || ReadsAsJournal(StateLayout.Backup(Layout.Journal)) || !File.Exists(Layout.Journal), "no journal can be read");
        // At least once: after a kill the same message may come again, by its boot id and sequence.
        var outcomes = Probe.Messages.Where(m => m.Topic == Setup.Topic("outcome")).Select(m => m.Text).Distinct()
            .Select(text => System.Text.Json.JsonElement.Parse(text).GetProperty("directive").GetString()).ToList();
        Assert.Equal(outcomes.Distinct().Count(), outcomes.Count);
    }

    public async ValueTask DisposeAsync()
    {
        await Agent.DisposeAsync();
        await Probe.DisposeAsync();
        await Broker.DisposeAsync();
        await Owner.DisposeAsync();
        _space.Dispose();
    }

    private static bool ReadsAsJournal(string path) => File.Exists(path) && Journal.Format.Read(File.ReadAllBytes(path)).IsValid;
}
