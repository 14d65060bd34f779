using System.Text;
using System.Text.Json;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Telemetry.Commands;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Liveness;
using Dunlin.Telemetry.Tests.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Schemas;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Telemetry.Tests.Commands;

public sealed class CommandDispatcherTests : IAsyncLifetime
{
    private const string Nonce = "0123456789abcdef";

    private readonly TaskCompletionSource _slow = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _runCount;
    private volatile bool _isRefusing;
    private MosquittoBroker _broker = null!;
    private MqttProbe _probe = null!;
    private TestLink _link = null!;
    private CommandDispatcher _commands = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await MosquittoBroker.StartAsync();
        _probe = await MqttProbe.ConnectAsync(_broker, "#");
        _link = new TestLink(TestLink.To(_broker));
        _commands = new CommandDispatcher(
            _link.Link, _link.Identity, new MessageSequence(), new LoopTicks(TimeProvider.System), TimeProvider.System, NullLogger<CommandDispatcher>.Instance);
        _commands.Register("slow", SlowAsync, burst: 100, TimeSpan.FromMilliseconds(1));
        _commands.Register("rare", _ => Count(), burst: 2, TimeSpan.FromHours(1));
        _commands.RegisterSigned("signed", Judge, (_, _) => Count(), burst: 1, TimeSpan.FromHours(1), isQuick: true);
        _commands.RegisterSigned("long-signed", Judge, (_, cancellationToken) => SlowAsync(cancellationToken), burst: 1, TimeSpan.FromHours(1));
        _commands.Register("broken", _ => throw new InvalidOperationException("A bug with a /secret/path."), burst: 5, TimeSpan.FromSeconds(1));
        await _commands.StartAsync(CancellationToken.None);
        await _link.StartAsync();
        await _link.ConnectedAsync();
    }

    [Fact]
    public async Task APingIsAnsweredAtOnceAlsoWhileAnotherCommandRuns()
    {
        await SendAsync("slow", """{"id":"long"}""");
        await Eventually.TrueAsync(() => Volatile.Read(ref _runCount) == 1, "the slow command runs");
        await SendAsync("ping", """{"id":"quick"}""");
        await SendAsync("dance", """{"id":"refused"}""");
        Assert.True((await ReplyAsync("quick")).Ok);
        Assert.Equal("command.unknown", (await ReplyAsync("refused")).Code);
        Assert.DoesNotContain(Replies(), reply => reply.Id == "long");
        _slow.SetResult();
        Assert.True((await ReplyAsync("long")).Ok);
    }

    [Fact]
    public async Task CommandsOfOneKindRunOneAfterTheOther()
    {
        for (var i = 0; i < 5; i++) await SendAsync("slow", $$"""{"id":"s{{i}}"}""");
        await Eventually.TrueAsync(() => Volatile.Read(ref _runCount) == 1, "the first runs");
        _slow.SetResult();
        await ReplyAsync("s4");
        Assert.Equal(["s0", "s1", "s2", "s3", "s4"], Replies().Select(reply => reply.Id));
        Assert.Equal(5, Volatile.Read(ref _runCount));
    }

    [Fact]
    public async Task TheRateIsLimitedByNameAndSaidSo()
    {
        for (var i = 0; i < 4; i++) await SendAsync("rare", $$"""{"id":"r{{i}}"}""");
        Assert.True((await ReplyAsync("r0")).Ok);
        Assert.True((await ReplyAsync("r1")).Ok);
        Assert.Equal("command.rate-limited", (await ReplyAsync("r2")).Code);
        Assert.Equal("command.rate-limited", (await ReplyAsync("r3")).Code);
        Assert.Equal(2, Volatile.Read(ref _runCount));
    }

    [Fact]
    public async Task AnUnknownCommandIsToldWhichThereAre()
    {
        await SendAsync("dance", """{"id":"two"}""");
        var reply = await ReplyAsync("two");
        Assert.Equal("command.unknown", reply.Code);
        Assert.Equal("Commands are broken, long-signed, ping, rare, signed, slow.", reply.Detail);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("[]")]
    [InlineData("""{"id":7}""")]
    [InlineData("""{"id":"0123456789012345678901234567890123456789012345678901234567890123X"}""")]
    public async Task AMalformedPayloadIsRefused(string payload)
    {
        await SendAsync("ping", payload);
        await Eventually.TrueAsync(() => Replies().Any(reply => reply.Code == "command.invalid"), "it is refused");
        await SendAsync("ping", """{"id":"still there"}""");
        Assert.True((await ReplyAsync("still there")).Ok);
    }

    [Fact]
    public async Task AnotherResponseTopicIsIgnored()
    {
        await _probe.PublishAsync(_link.Topics.Command("ping"), """{"id":"here"}"""u8.ToArray(), responseTopic: "dunlin/v1/demo/belt-2/desired", correlation: [7, 8]);
        await ReplyAsync("here");
        Assert.DoesNotContain(_probe.Messages, message => message.Topic == "dunlin/v1/demo/belt-2/desired");
        Assert.Equal([7, 8], _probe.Messages.Single(message => message.Topic == _link.Topics.Reply).Correlation);
    }

    [Fact]
    public async Task ACommandThatComesTwiceRunsOnce()
    {
        await SendAsync("rare", """{"id":"same"}""");
        await SendAsync("rare", """{"id":"same"}""");
        await SendAsync("ping", """{"id":"after"}""");
        await ReplyAsync("after");
        await ReplyAsync("same");
        Assert.Equal(1, Volatile.Read(ref _runCount));
        Assert.Single(Replies(), reply => reply.Id == "same");
    }

    [Fact]
    public async Task ASignedCommandIsAnsweredUnderItsNonceOnceAndWhatIsNoneIsRefused()
    {
        foreach (var payload in (byte[][])["{\"id\":\"plain\"}"u8.ToArray(), [], DsseEnvelope.Format.Write(Signed() with { Payload = "{}"u8.ToArray() })])
        {
            var before = Replies().Count;
            await _probe.PublishAsync(_link.Topics.Command("signed"), payload);
            await Eventually.TrueAsync(() => Replies().Count > before, "it is refused");
            Assert.Equal(("command.invalid", (string?)null), (Replies()[^1].Code, Replies()[^1].Id));
        }

        Assert.Equal(0, Volatile.Read(ref _runCount));
        for (var i = 0; i < 2; i++) await SendAsync("signed", Signed());
        Assert.True((await ReplyAsync(Nonce)).Ok);
        await SendAsync("ping", """{"id":"after"}""");
        await ReplyAsync("after");
        Assert.Equal(1, Volatile.Read(ref _runCount));
    }

    [Fact]
    public async Task WhatIsNotTheOwnersTakesNothingFromWhatTheOwnerMaySend()
    {
        _isRefusing = true;
        for (var i = 0; i < 8; i++) await SendAsync("signed", Signed($"stranger0000000{i}"));
        Assert.Equal("command.unsigned", (await ReplyAsync("stranger00000007")).Code);
        _isRefusing = false;
        await SendAsync("signed", Signed());
        Assert.True((await ReplyAsync(Nonce)).Ok);
        await SendAsync("signed", Signed("fedcba9876543210"));
        Assert.Equal("command.rate-limited", (await ReplyAsync("fedcba9876543210")).Code);
    }

    [Fact]
    public async Task WhatTakesNoTimeAndARefusalWaitForNoCommandThatTakesLong()
    {
        await SendAsync("long-signed", Signed("0000000000000000"));
        await Eventually.TrueAsync(() => Volatile.Read(ref _runCount) == 1, "the long one runs");
        await SendAsync("signed", Signed());
        Assert.True((await ReplyAsync(Nonce)).Ok);
        _isRefusing = true;
        await SendAsync("long-signed", Signed("1111111111111111"));
        Assert.Equal("command.unsigned", (await ReplyAsync("1111111111111111")).Code);
        Assert.DoesNotContain(Replies(), reply => reply.Id == "0000000000000000");
    }

    [Fact]
    public async Task LongCorrelationDataIsRefusedAndNotKept()
    {
        await _probe.PublishAsync(_link.Topics.Command("ping"), """{"id":"a"}"""u8.ToArray(), correlation: new byte[65]);
        await Eventually.TrueAsync(() => Replies().Any(reply => reply.Code == "command.invalid"), "it is refused");
        Assert.Contains("64 bytes", Replies()[0].Detail, StringComparison.Ordinal);
        await _probe.PublishAsync(_link.Topics.Command("ping"), """{"id":"b"}"""u8.ToArray(), correlation: new byte[64]);
        Assert.True((await ReplyAsync("b")).Ok);
    }

    [Fact]
    public async Task ACommandThatTheBrokerKeptIsAnsweredAfterTheLinkCameBack()
    {
        await _link.Link.StopAsync(CancellationToken.None);
        await SendAsync("ping", """{"id":"kept"}""");
        await using var next = new TestLink(TestLink.To(_broker));
        using var commands = new CommandDispatcher(
            next.Link, next.Identity, new MessageSequence(), new LoopTicks(TimeProvider.System), TimeProvider.System, NullLogger<CommandDispatcher>.Instance);
        await commands.StartAsync(CancellationToken.None);
        await next.StartAsync();
        Assert.True((await ReplyAsync("kept")).Ok);
        await commands.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task AReplyOutlivesTheLossOfTheLink()
    {
        await SendAsync("slow", """{"id":"meanwhile"}""");
        await Eventually.TrueAsync(() => Volatile.Read(ref _runCount) == 1, "it runs");
        await _broker.KillAsync();
        await _link.LostAsync();
        _slow.SetResult();
        await _broker.StartAgainAsync();
        await using var probe = await MqttProbe.ConnectAsync(_broker, "#");
        await Eventually.TrueAsync(() => probe.Messages.Any(message => message.Topic == _link.Topics.Reply && message.Text.Contains("meanwhile", StringComparison.Ordinal)), "the reply comes");
    }

    [Fact]
    public async Task AHandlerThatFailsIsAReplyWithoutItsInnards()
    {
        await SendAsync("broken", """{"id":"x"}""");
        var reply = await ReplyAsync("x");
        Assert.Equal("command.failed", reply.Code);
        Assert.DoesNotContain("secret", reply.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFloodOfNonsenseIsAnsweredTenTimesASecondAtMost()
    {
        for (var i = 0; i < 300; i++) await SendAsync($"nonsense-{i}", "");
        await Eventually.TrueAsync(() => Replies().Count > 0, "some are refused");
        await SendAsync("ping", """{"id":"alive"}""");
        Assert.True((await ReplyAsync("alive")).Ok);
        Assert.InRange(Replies().Count(reply => reply.Code == "command.unknown"), 1, 150);
    }

    public async ValueTask DisposeAsync()
    {
        _slow.TrySetResult();
        await _commands.StopAsync(CancellationToken.None);
        _commands.Dispose();
        await _link.DisposeAsync();
        await _probe.DisposeAsync();
        await _broker.DisposeAsync();
    }

    private async Task<CommandResult> SlowAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _runCount);
        await _slow.Task.WaitAsync(cancellationToken);
        return new CommandResult();
    }

    private Task<CommandResult> Count()
    {
        Interlocked.Increment(ref _runCount);
        return Task.FromResult(new CommandResult());
    }

    private (SignedCommand? Command, CommandResult? Refusal) Judge(DsseEnvelope envelope) =>
        _isRefusing ? (null, new CommandResult("command.unsigned", "It is nobody's.")) : (SignedCommand.Format.Read(envelope.Payload.Span).Value, null);

    private static DsseEnvelope Signed(string nonce = Nonce)
    {
        var command = new SignedCommand
        {
            Schema = SignedCommand.CurrentSchema, Fleet = "demo", Device = "belt-1", BootId = "boot", Nonce = nonce, Name = Command.Snapshot,
            Issued = SampleDocuments.Noon, Expires = SampleDocuments.Noon.AddMinutes(1),
        };
        return new DsseEnvelope { PayloadType = MediaTypes.Command, Payload = SignedCommand.Format.Write(command), Signatures = [] };
    }

    private Task SendAsync(string name, DsseEnvelope envelope) => _probe.PublishAsync(_link.Topics.Command(name), DsseEnvelope.Format.Write(envelope));

    private Task SendAsync(string name, string payload) => _probe.PublishAsync(_link.Topics.Command(name), Encoding.UTF8.GetBytes(payload));

    private List<Reply> Replies() => [.. _probe.Messages.Where(message => message.Topic == _link.Topics.Reply)
        .Select(message => JsonSerializer.Deserialize(message.Payload, Contracts.MessageJson.Default.Reply)!)];

    private async Task<Reply> ReplyAsync(string id)
    {
        await Eventually.TrueAsync(() => Replies().Any(reply => reply.Id == id), $"a reply to '{id}'");
        Assert.All(_probe.Messages.Where(message => message.Topic == _link.Topics.Reply), message => SchemaAssert.Valid("reply", message.Text));
        return Replies().First(reply => reply.Id == id);
    }
}
