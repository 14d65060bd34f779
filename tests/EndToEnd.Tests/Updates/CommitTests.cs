using System.Text.Json;
using Dunlin.Contracts.Updates;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Schemas;

namespace Dunlin.EndToEnd.Tests.Updates;

/// <summary>A release comes by a signed directive, and frames go on.</summary>
public sealed class CommitTests(FirstRun first)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task AReleaseIsCommittedWhileEveryFrameHasOneResult()
    {
        using var space = new TemporaryFolder();
        await using var owner = new Owner(space);
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        var (factory, release) = (owner.Publish(), owner.Publish());
        var setup = owner.Enroll(new AgentSetup { StateDirectory = space["state"], Camera = first.Frames, Port = broker.Port }, factory);
        await using var agent = AgentProcess.Run(setup);
        await agent.SaysAsync("Race over", Patience);
        await probe.NextAsync(setup.Topic("result"), null, Patience);
        var worker = agent.Worker;
        var directive = await owner.PushAsync(release, setup, probe);
        var outcome = await Owner.OutcomeAsync(directive, setup, probe, agent);
        SchemaAssert.Valid("outcome", outcome.GetRawText());
        Assert.True(outcome.GetProperty("result").GetString() == "committed", $"{outcome}\n{agent.Log}");
        await probe.NextAsync(setup.Topic("reported"), m => m.Json.GetProperty("update").GetProperty("state").GetString() == "committed", Patience);

        var layout = new StateLayout(setup.StateDirectory);
        Assert.Equal(StateLayout.ReleaseLink(release.Bundle.ReleaseId), new FileInfo(layout.Active).LinkTarget);
        Assert.Equal(StateLayout.ReleaseLink(release.Bundle.ReleaseId), new FileInfo(layout.LastGood).LinkTarget);
        Assert.Equal(worker, agent.Worker);
        var results = probe.Messages.Where(m => m.Topic == setup.Topic("result")).Select(m => m.Json).ToList();
        await FramesAreWholeAsync(results, factory, release);
    }

    private static Task FramesAreWholeAsync(List<JsonElement> results, Release before, Release after)
    {
        var frames = results.Select(r => r.GetProperty("frame").GetInt64()).ToList();
        Assert.Equal(frames.Distinct().Order(), frames);
        Assert.All(results, result => Assert.EndsWith(
            result.GetProperty("release").GetString() == before.Id ? "-1" : "-2", result.GetProperty("scores")[0].GetProperty("label").GetString(), StringComparison.Ordinal));
        var releases = results.Select(r => r.GetProperty("release").GetString()).ToList();
        var change = releases.IndexOf(after.Id);
        Assert.True(change > 0);
        Assert.All(releases[change..], id => Assert.Equal(after.Id, id));
        // From ten results before the change to ten after it, at 10 frames a second.
        var around = results[Math.Max(0, change - 10)..Math.Min(results.Count, change + 10)];
        var captured = around.Select(r => r.GetProperty("captured").GetDateTimeOffset()).ToList();
        var gaps = captured.Zip(captured.Skip(1), (a, b) => (b - a).TotalMilliseconds).ToList();
        TestContext.Current.TestOutputHelper?.WriteLine($"Longest gap around the switch: {gaps.Max():0} ms; frames {string.Join(",", around.Select(r => r.GetProperty("frame").GetInt64()))}");
        Assert.InRange(gaps.Max(), 0, 200);
        var numbers = around.Select(r => r.GetProperty("frame").GetInt64()).ToList();
        Assert.All(numbers.Zip(numbers.Skip(1), (a, b) => b - a), step => Assert.InRange(step, 1, 2));
        return Task.CompletedTask;
    }
}
