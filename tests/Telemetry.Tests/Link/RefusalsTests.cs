using Dunlin.Telemetry.Link;

namespace Dunlin.Telemetry.Tests.Link;

public sealed class RefusalsTests
{
    private readonly Refusals _refusals = new(new MqttOptions { Host = "broker.example" });

    [Fact]
    public void WhatIsRefusedForOneReasonStandsInOneSentence()
    {
        foreach (var (what, reason) in (ReadOnlySpan<(string, string)>)[("a", "not now"), ("b", "never"), ("c", "not now")]) _refusals.Add(what, reason);
        Assert.Equal("Broker broker.example:1883 refuses a, c: not now. Broker broker.example:1883 refuses b: never.", _refusals.Problem);
    }

    [Fact]
    public void OnlyAFirstRefusalIsNewsAndOneAfterTheBrokerTookIt()
    {
        Assert.True(_refusals.Add("a", "never"));
        Assert.False(_refusals.Add("a", "not now"));
        _refusals.Remove("a");
        Assert.Null(_refusals.Problem);
        Assert.True(_refusals.Add("a", "not now"));
        Assert.Contains("not now", _refusals.Problem, StringComparison.Ordinal);
    }
}
