using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Schemas;

namespace Dunlin.EndToEnd.Tests.Serving;

/// <summary>From an empty directory to results, and again from what that left.</summary>
public sealed class FirstRunTests(FirstRun first)
{
    [Theory]
    [InlineData("status")]
    [InlineData("reported")]
    [InlineData("race")]
    [InlineData("result")]
    [InlineData("telemetry")]
    public void EveryMessageIsAsItsSchemaSays(string topic)
    {
        var messages = Of(topic);
        Assert.NotEmpty(messages);
        foreach (var message in messages) SchemaAssert.Valid(topic, message.Text);
    }

    [Fact]
    public void TheDeviceIsOnlineAfterItsRetainedStateWasSaid()
    {
        var order = first.Messages.Where(m => m.Retain).Select(m => m.Topic.Split('/')[^1]).ToList();
        Assert.Equal("online", Of("status")[0].Json.GetProperty("state").GetString());
        Assert.True(order.IndexOf("reported") < order.IndexOf("status"), string.Join(", ", order));
    }

    [Fact]
    public void TheWinnerOfTheRaceRuns()
    {
        var winner = Of("race")[^1].Json.GetProperty("winner").ToString();
        Assert.Contains(Of("reported"), m => m.Json.TryGetProperty("running", out var running) && running.ToString() == winner && m.Json.GetProperty("wanted").ToString() == winner);
        Assert.Equal(winner, Of("telemetry")[^1].Json.GetProperty("running").ToString());
        Assert.Equal(Of("race")[^1].Json.GetProperty("winner").GetProperty("variant").GetString(), Of("result")[^1].Json.GetProperty("variant").GetString());
    }

    [Fact]
    public void WhatServesDuringTheRaceIsMeasuredAndToldMeanwhile()
    {
        var order = first.Messages.Select(m => m.Topic.Split('/')[^1]).ToList();
        Assert.InRange(order.IndexOf("telemetry"), 0, order.IndexOf("race"));
    }

    [Fact]
    public void TelemetryHasFramesAndAnEnergyThatIsCalledAnEstimate()
    {
        var window = Of("telemetry").Last(FirstRun.IsWhole).Json;
        Assert.InRange(window.GetProperty("framesPerSecond").GetDouble(), 1, 15);
        var energy = window.GetProperty("energy");
        if (Directory.Exists("/sys/class/powercap/intel-rapl:0")) return;
        Assert.Equal("estimated", energy.GetProperty("estimated").GetProperty("method").GetString());
        Assert.False(energy.TryGetProperty("measured", out var measured) && measured.ValueKind != System.Text.Json.JsonValueKind.Null);
    }

    [Fact]
    public void SystemdIsToldThatItIsReadyAndThatItStops()
    {
        Assert.Single(first.Notified, "READY=1");
        Assert.Contains("STOPPING=1", first.Notified);
        Assert.Contains("WATCHDOG=1", first.Notified);
    }

    [Fact]
    public void SigtermEndsItWithZeroInTimeAndLeavesNoChild()
    {
        Assert.Equal(0, first.ExitCode);
        // Frames flow until then.
        Assert.InRange(first.StopTime.TotalSeconds, 0, 2);
        TestContext.Current.TestOutputHelper?.WriteLine($"Stopped in {first.StopTime.TotalMilliseconds:0} ms");
        Assert.NotEmpty(first.Children);
        Assert.DoesNotContain(first.Children, ProcessTable.IsAlive);
        Assert.Equal("stopped", Of("status")[^1].Json.GetProperty("state").GetString());
    }

    [Fact]
    public async Task ARestartServesByTheCachedVerdictWithoutARace()
    {
        using var space = new TemporaryFolder();
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        var setup = first.Again(space, broker.Port);
        await using var agent = AgentProcess.Run(setup);
        await agent.SaysAsync("Verdict from the cache");
        await probe.NextAsync(setup.Topic("result"));
        await probe.NextAsync(setup.Topic("telemetry"));
        Assert.DoesNotContain("Race of", agent.Log, StringComparison.Ordinal);
        var verdict = (await probe.NextAsync(setup.Topic("race"))).Json;
        Assert.Equal(Of("race")[^1].Json.GetProperty("fingerprint").GetString(), verdict.GetProperty("fingerprint").GetString());
    }

    private List<ProbedMessage> Of(string topic) => [.. first.Messages.Where(message => message.Topic == first.Setup.Topic(topic))];
}
