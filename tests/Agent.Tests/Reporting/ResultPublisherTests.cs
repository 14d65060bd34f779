using System.Text.Json;
using Dunlin.Agent.Reporting;
using Dunlin.Agent.Tests.Children;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.TestKit;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Schemas;

namespace Dunlin.Agent.Tests.Reporting;

public sealed class ResultPublisherTests : IAsyncLifetime
{
    private static readonly string[] Labels = ["shirt", "coat", "bag"];

    private TestDevice _device = null!;

    public async ValueTask InitializeAsync() => _device = await TestDevice.StartAsync();

    [Fact]
    public async Task IndicesGetNamesAndMonotonicTimeBecomesWallTime()
    {
        var results = Publisher();
        using var folder = new TemporaryFolder();
        var session = TestChildren.Session(folder, [], "int8") with { Labels = Labels };
        var twoSecondsAgo = TimeProvider.System.GetTimestamp() - 2_000_000_000;
        results.Publish(session, new FrameResult { Frame = 7, CapturedNanoseconds = twoSecondsAgo, LatencyMilliseconds = 4.5, Scores = [new(2, 0.75f), new(0, 0.25f)] });
        var message = await _device.Probe.NextAsync(_device.Identity.Topics.Result);
        SchemaAssert.Valid("result", message.Text);
        var result = JsonSerializer.Deserialize(message.Payload, MessageJson.Default.Classification)!;
        Assert.Equal([new Score(2, "bag", 0.75f), new Score(0, "shirt", 0.25f)], result.Scores);
        Assert.Equal((7, "int8", 4.5, 1), (result.Frame, result.Variant, result.LatencyMilliseconds, result.Sequence));
        Assert.Equal(SampleDocuments.DigestOf("release"), result.Release);
        Assert.InRange((TimeProvider.System.GetUtcNow() - result.Captured).TotalSeconds, 1.9, 20);
    }

    public ValueTask DisposeAsync() => _device.DisposeAsync();

    private ResultPublisher Publisher() => new(_device.Link, _device.Identity, _device.Sequence, TimeProvider.System);
}
