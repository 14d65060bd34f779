using System.Text;
using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Outbox;
using Dunlin.Telemetry.Tests.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Schemas;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Telemetry.Tests.Outbox;

public sealed class MessageOutboxTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-outbox-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task WhatWasAddedWithoutALinkArrivesInOrderOutcomesFirst()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        await using var wire = new FaultyLink(broker.Host, broker.Port) { IsRefusing = true };
        var options = TestLink.To(broker);
        (options.Host, options.Port) = (wire.Host, wire.Port);
        await using var device = await new TestOutbox(options, _folder).StartAsync();
        for (var i = 1; i <= 20; i++) device.Outbox.Add(SampleMessages.Telemetry() with { Sequence = i });
        for (var i = 1; i <= 3; i++) device.Outbox.Add(SampleMessages.Outcome() with { Sequence = i });
        Assert.Equal(20, device.Outbox.Counts.Queued);
        Assert.Equal(3, device.Outbox.QueuedOutcomeCount);

        wire.IsRefusing = false;
        await EmptyAsync(device);
        await Eventually.TrueAsync(() => Sequences(probe, device.Link.Topics.Telemetry).Contains(20), "the last arrives");
        Assert.Equal(Enumerable.Range(1, 20), Sequences(probe, device.Link.Topics.Telemetry));
        Assert.Equal(Enumerable.Range(1, 3), Sequences(probe, device.Link.Topics.Outcome));
        var sent = probe.Messages.Select(m => m.Topic).Where(t => t == device.Link.Topics.Telemetry || t == device.Link.Topics.Outcome).ToList();
        Assert.True(sent.LastIndexOf(device.Link.Topics.Outcome) < sent.IndexOf(device.Link.Topics.Telemetry), "outcomes come first");
    }

    [Fact]
    public async Task AMinutesOutageLosesNothingAndARestartOfTheAgentInItNeither()
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Persistent = true });
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        var telemetry = "";
        await using (var device = await new TestOutbox(TestLink.To(broker), _folder).StartAsync())
        {
            telemetry = device.Link.Topics.Telemetry;
            await device.Link.ConnectedAsync();
            for (var i = 1; i <= 10; i++) device.Outbox.Add(SampleMessages.Telemetry() with { Sequence = i });
            await EmptyAsync(device);
            await Eventually.TrueAsync(() => Sequences(probe, telemetry).Count >= 10, "ten arrive");
            await broker.KillAsync();
            for (var i = 11; i <= 20; i++) device.Outbox.Add(SampleMessages.Telemetry() with { Sequence = i });
            await device.Link.LostAsync();
        }

        await using var again = new TestOutbox(TestLink.To(broker), _folder);
        Assert.Equal(10, again.Outbox.Counts.Queued);
        for (var i = 21; i <= 25; i++) again.Outbox.Add(SampleMessages.Telemetry() with { Sequence = i });
        await broker.StartAgainAsync();
        await using var late = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        await again.StartAsync();
        await EmptyAsync(again);
        await Eventually.TrueAsync(() => Sequences(late, telemetry).Contains(25), "the newest arrives");
        Assert.Equal(Enumerable.Range(11, 15), Sequences(late, telemetry));
    }

    [Fact]
    public async Task ADayWithoutABrokerLosesNothing()
    {
        const int windows = 24 * 360, outcomes = 24;
        await using (var device = new TestOutbox(new MqttOptions(), _folder))
        {
            for (var i = 1; i <= windows; i++)
            {
                device.Outbox.Add(SampleMessages.Telemetry() with { Sequence = i });
                if (i % (windows / outcomes) == 0) device.Outbox.Add(SampleMessages.Outcome() with { Sequence = i, Directive = SampleDocuments.DigestOf($"{i}") });
            }
        }

        await using var restarted = new TestOutbox(new MqttOptions(), _folder);
        Assert.Equal((windows, 0, outcomes), (restarted.Outbox.Counts.Queued, restarted.Outbox.Counts.Dropped, restarted.Outbox.QueuedOutcomeCount));
    }

    [Fact]
    public async Task AnOutcomeThatLeftBeforeItsDirectiveWasRememberedIsNotMadeAgain()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using (var device = await new TestOutbox(TestLink.To(broker), _folder).StartAsync())
        {
            // The agent dies between the outcome and the memory of it, and what is left sends it.
            device.Outbox.Add(SampleMessages.Outcome());
            await EmptyAsync(device);
        }

        await using var again = new TestOutbox(TestLink.To(broker), _folder);
        var settled = 0;
        again.Outbox.Add(SampleMessages.Outcome() with { BootId = "another", Sequence = 7 }, () => settled++);
        Assert.Equal((0, 1), (again.Outbox.QueuedOutcomeCount, settled));
        again.Outbox.Add(SampleMessages.Outcome() with { Directive = SampleDocuments.DigestOf("another") }, () => settled++);
        Assert.Equal((1, 2), (again.Outbox.QueuedOutcomeCount, settled));
        again.Outbox.Repeat(SampleMessages.Outcome());
        again.Outbox.Repeat(SampleMessages.Outcome());
        Assert.Equal(2, again.Outbox.QueuedOutcomeCount);
    }

    [Fact]
    public async Task AnOutcomeOfANewerAgentKeepsNoneOfThisOneFromBeingAdded()
    {
        var newer = JsonSerializer.SerializeToUtf8Bytes(SampleMessages.Outcome(), MessageJson.Default.Outcome);
        newer = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(newer).Replace("\"result\":\"", "\"result\":\"neverHeardOf", StringComparison.Ordinal));
        using (var outcomes = new MessageQueue(Path.Combine(_folder, "outcomes"), long.MaxValue, Overflow.Keep)) outcomes.Append(newer);
        await using var device = new TestOutbox(new MqttOptions(), _folder);
        var settled = 0;
        device.Outbox.Add(SampleMessages.Outcome(), () => settled++);
        Assert.Equal((1, 1), (device.Outbox.QueuedOutcomeCount, settled));
        device.Outbox.Add(SampleMessages.Outcome() with { Directive = SampleDocuments.DigestOf("another") }, () => settled++);
        Assert.Equal((2, 2), (device.Outbox.QueuedOutcomeCount, settled));
    }

    [Fact]
    public async Task AnOutcomeThatCouldNotBeAddedIsNotSettledByTheNextTry()
    {
        using (var outcomes = new MessageQueue(Path.Combine(_folder, "outcomes"), long.MaxValue, Overflow.Keep)) outcomes.Append("no outcome"u8);
        await using var device = new TestOutbox(new MqttOptions(), _folder);
        for (var i = 0; i < 2; i++)
            Assert.Throws<JsonException>(() => device.Outbox.Add(SampleMessages.Outcome(), () => Assert.Fail("it is settled though it was not added")));
    }

    [Fact]
    public async Task AFullDiskIsNamedCostsOnlyTelemetryAndHealsByItself()
    {
        using var disk = TinyDisk.Mount();
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        await using var device = new TestOutbox(TestLink.To(broker), disk.Path);
        File.WriteAllBytes(Path.Combine(disk.Path, "filler"), []);
        disk.Fill();
        for (var i = 1; i <= 5; i++) device.Outbox.Add(SampleMessages.Telemetry() with { Sequence = i });
        for (var i = 1; i <= 5; i++) device.Outbox.Add(SampleMessages.Outcome() with { Sequence = i });
        Assert.Contains(disk.Path, device.Outbox.Problem, StringComparison.Ordinal);
        Assert.Contains("has room", device.Outbox.Problem, StringComparison.Ordinal);
        Assert.Equal(5, device.Outbox.Counts.Queued + device.Outbox.Counts.Dropped);
        Assert.Equal(5, device.Outbox.QueuedOutcomeCount);

        await device.StartAsync();
        await Eventually.TrueAsync(() => Sequences(probe, device.Link.Topics.Outcome).Count == 5, "outcomes arrive with the disk still full");
        disk.Free();
        device.Outbox.Add(SampleMessages.Telemetry() with { Sequence = 6 });
        device.Outbox.Add(SampleMessages.Outcome() with { Sequence = 6 });
        await Eventually.TrueAsync(() => Sequences(probe, device.Link.Topics.Telemetry).Contains(6) && Sequences(probe, device.Link.Topics.Outcome).Contains(6), "new ones arrive");
        Assert.Null(device.Outbox.Problem);
    }

    [Fact]
    public async Task TelemetryThatTheBrokerRefusesIsCountedAsDroppedAndAnOutcomeStays()
    {
        const string Acl = "topic read #\ntopic write dunlin/v1/demo/belt-1/status\n";
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Acl = Acl });
        await using var device = new TestOutbox(TestLink.To(broker), _folder);
        device.Outbox.Add(SampleMessages.Telemetry());
        await device.StartAsync();
        await Eventually.TrueAsync(() => device.Outbox.Counts is { Queued: 0, Dropped: 1 }, "the telemetry is dropped");
        device.Outbox.Add(SampleMessages.Outcome());
        device.Outbox.Add(SampleMessages.Telemetry());
        await device.Link.ConnectedAsync();
        Assert.Equal(1, device.Outbox.QueuedOutcomeCount);
        Assert.True(device.Link.Link.State.IsConnected);
    }

    [Fact]
    public async Task AnOutcomeThatTheBrokerRefusesStaysAndIsTriedNowAndThenAndTelemetryGoesOn()
    {
        const string Acl = "topic read #\ntopic write dunlin/v1/demo/belt-1/status\ntopic write dunlin/v1/demo/belt-1/telemetry\n";
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Acl = Acl });
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        var clock = new HurriedClock();
        await using var device = new TestOutbox(TestLink.To(broker), _folder, clock);
        device.Outbox.Add(SampleMessages.Outcome());
        await device.StartAsync();
        for (var i = 1; i <= 5; i++) await TelemetryArrivesAsync(i);
        Assert.Equal(1, Denied());

        clock.Hurry(TimeSpan.FromSeconds(10));
        await TelemetryArrivesAsync(6);
        await Eventually.TrueAsync(() => Denied() == 2, "it is tried again");
        Assert.Equal(1, device.Outbox.QueuedOutcomeCount);

        int Denied() => broker.Log.Split('\n').Count(line => line.Contains("Denied PUBLISH", StringComparison.Ordinal));

        Task TelemetryArrivesAsync(int sequence)
        {
            device.Outbox.Add(SampleMessages.Telemetry() with { Sequence = sequence });
            return Eventually.TrueAsync(() => Sequences(probe, device.Link.Topics.Telemetry).Contains(sequence), $"telemetry {sequence} arrives");
        }
    }

    [Fact]
    public async Task EachKindOfMessageGoesOutInItsOwnWay()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        await using var device = new TestOutbox(TestLink.To(broker), _folder);
        await device.StartAsync();
        await device.Link.ConnectedAsync();
        var topics = device.Link.Topics;
        device.Link.Link.PublishRetained(topics.Reported, SampleMessages.Reported(), MessageJson.Default.Reported);
        device.Link.Link.PublishRetained(topics.Race, SampleMessages.Race(), MessageJson.Default.Verdict);
        device.Outbox.Add(SampleMessages.Telemetry());
        device.Outbox.Add(SampleMessages.Outcome(), () => { });
        device.Link.Link.PublishResult(SampleMessages.Result());

        foreach (var (topic, schema, qos, isRetained, expiry) in new[]
        {
            (topics.Reported, "reported", 1, true, 0u), (topics.Race, "race", 1, true, 0u), (topics.Telemetry, "telemetry", 1, false, 86_400u),
            (topics.Outcome, "outcome", 1, false, 0u), (topics.Result, "result", 0, false, 0u),
        })
        {
            var message = await probe.NextAsync(topic);
            SchemaAssert.Valid(schema, message.Text);
            Assert.Equal((schema, qos, isRetained), (schema, message.Qos, message.Retain));
            Assert.InRange(message.ExpirySeconds, expiry == 0 ? 0 : expiry - 60, expiry);
        }
    }

    private static Task EmptyAsync(TestOutbox device) => Eventually.TrueAsync(
        () => device.Outbox.Counts.Queued == 0 && device.Outbox.QueuedOutcomeCount == 0, () => $"the outbox is empty; {device.Outbox.Counts}");

    private static List<int> Sequences(MqttProbe probe, string topic) =>
        [.. probe.Messages.Where(message => message.Topic == topic).Select(message => message.Json.GetProperty("sequence").GetInt32())];
}
