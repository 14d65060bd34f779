using System.Diagnostics;
using Dunlin.Telemetry.Tests.Outbox;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Telemetry.Tests.Link;

/// <summary>Row 42 of the promises, for what leaves the board: a wall clock that jumps stops no timer and loses no message.</summary>
public sealed class ClockJumpTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-outbox-").FullName;

    public static TheoryData<string> Times => ["1970-01-01T00:00:00Z", "2076-11-24T00:00:00Z", "an hour back"];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Times))]
    public async Task TheLinkStaysAndMessagesGoOnWhenTheClockJumps(string to)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        var clock = new SteppedClock(TimeProvider.System);
        await using var device = await new TestOutbox(TestLink.To(broker), _folder, clock).StartAsync();
        await device.Link.ConnectedAsync();
        Jump(clock, to);

        // Longer than the broker waits for a sign of life.
        var started = Stopwatch.GetTimestamp();
        var sequence = 0;
        while (Stopwatch.GetElapsedTime(started).TotalSeconds < 1.6 * device.Link.Options.KeepAliveSeconds)
        {
            device.Outbox.Add(SampleMessages.Telemetry() with { Sequence = ++sequence });
            await probe.NextAsync(device.Link.Topics.Telemetry, message => message.Json.GetProperty("sequence").GetInt32() == sequence);
        }

        Assert.Equal(1, device.Link.Link.State.ConnectCount);

        await broker.KillAsync();
        await device.Link.LostAsync();
        Jump(clock, "an hour back");
        device.Outbox.Add(SampleMessages.Telemetry());
        await broker.StartAgainAsync();
        await device.Link.ConnectedAsync();
        await Eventually.TrueAsync(() => device.Outbox.Counts is { Queued: 0, Dropped: 0 }, "the outbox is empty");
    }

    [Theory]
    [MemberData(nameof(Times))]
    public async Task AHalfOpenLinkIsNoticedAlthoughTheClockJumps(string to)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var wire = new FaultyLink(broker.Host, broker.Port);
        var options = TestLink.To(broker);
        (options.Host, options.Port) = (wire.Host, wire.Port);
        var clock = new SteppedClock(TimeProvider.System);
        await using var link = await new TestLink(options, time: clock).StartAsync();
        await link.ConnectedAsync();
        wire.IsBlackHole = true;
        Jump(clock, to);
        var started = Stopwatch.GetTimestamp();
        await link.LostAsync();
        // One and a half keep-alives, and a margin for a busy machine.
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, (1.5 * options.KeepAliveSeconds) + 3);
        wire.IsBlackHole = false;
        await link.ConnectedAsync();
    }

    private static void Jump(SteppedClock clock, string to) => clock.Ahead = to == "an hour back"
        ? clock.Ahead - TimeSpan.FromHours(1)
        : DateTimeOffset.Parse(to, System.Globalization.CultureInfo.InvariantCulture) - TimeProvider.System.GetUtcNow();
}
