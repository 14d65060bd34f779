using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Samples;

namespace Dunlin.Telemetry.Tests.Link;

/// <summary>Results on a real broker, through a wire that can break. Where only changes are sent, the newest must arrive.</summary>
public sealed class ResultLaneTests : IAsyncLifetime
{
    private MosquittoBroker _broker = null!;
    private MqttProbe _probe = null!;
    private FaultyLink _wire = null!;
    private TestLink _link = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await MosquittoBroker.StartAsync();
        _probe = await MqttProbe.ConnectAsync(_broker, "dunlin/v1/+/+/result");
        _wire = new FaultyLink(_broker.Host, _broker.Port);
        var options = TestLink.To(_broker);
        options.Port = _wire.Port;
        _link = new TestLink(options);
    }

    [Fact]
    public async Task AResultIsSentWithQualityOfServiceZeroAsItsSchemaSays()
    {
        await StartAsync();
        _link.Link.PublishResult(Result(1));
        var message = await ArrivedAsync(1);
        Assert.Equal(0, message.Qos);
        Assert.Equal(JsonSerializer.SerializeToUtf8Bytes(Result(1), MessageJson.Default.Classification), message.Payload);
    }

    [Fact]
    public async Task OfMoreThanTheWireTakesTheLastOneArrives()
    {
        const int count = 200;
        // No ping that waits in the same queue: the link must not be made anew.
        _link.Options.KeepAliveSeconds = 600;
        await StartAsync();
        var large = Enumerable.Range(0, 1000).Select(index => new Score(index, new string('x', 100), 0.001)).ToList();
        _wire.Delay = TimeSpan.FromSeconds(1);
        for (var sequence = 1; sequence <= count; sequence++) _link.Link.PublishResult(Result(sequence) with { Scores = large });
        _wire.Delay = TimeSpan.Zero;
        await ArrivedAsync(count);
        var arrived = _probe.Messages.Select(SequenceOf).ToList();
        Assert.Equal(arrived.Distinct().Order(), arrived);
        Assert.InRange(arrived.Count, 1, count - 1);
    }

    [Fact]
    public async Task OfThoseBeforeTheFirstConnectionTheNewestArrivesOnIt()
    {
        for (var sequence = 1; sequence <= 3; sequence++) _link.Link.PublishResult(Result(sequence));
        await StartAsync();
        await ArrivedAsync(3);
        Assert.Equal([3], _probe.Messages.Select(SequenceOf));
    }

    [Fact]
    public async Task OfThoseWithoutALinkTheNewestArrivesWhenItIsBack()
    {
        await StartAsync();
        _wire.IsRefusing = true;
        _wire.Cut();
        await _link.LostAsync();
        for (var sequence = 1; sequence <= 3; sequence++) _link.Link.PublishResult(Result(sequence));
        _wire.IsRefusing = false;
        await ArrivedAsync(3);
        Assert.Equal([3], _probe.Messages.Select(SequenceOf));
    }

    [Fact]
    public async Task WhatADyingConnectionSwallowedArrivesOnTheNext()
    {
        await StartAsync();
        _wire.IsBlackHole = true;
        _link.Link.PublishResult(Result(1));
        await _link.LostAsync();
        _wire.Cut();
        _wire.IsBlackHole = false;
        await ArrivedAsync(1);
    }

    public async ValueTask DisposeAsync()
    {
        await _link.DisposeAsync();
        await _wire.DisposeAsync();
        await _probe.DisposeAsync();
        await _broker.DisposeAsync();
    }

    private static Classification Result(long sequence) => SampleMessages.Result() with { Sequence = sequence };

    private static long SequenceOf(ProbedMessage message) => message.Json.GetProperty("sequence").GetInt64();

    private async Task StartAsync()
    {
        await _link.StartAsync();
        await _link.ConnectedAsync();
    }

    private Task<ProbedMessage> ArrivedAsync(long sequence) => _probe.NextAsync(_link.Topics.Result, message => SequenceOf(message) == sequence);
}
