using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Serving;
using Dunlin.TestKit.Samples;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Fleet.Tests.Serving;

public sealed class BlobQueueTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void ADeviceGetsItsBurstAtOnceAndThen4MiBPerSecond()
    {
        var queue = new BlobQueue("greedy", _time.GetTimestamp());
        var taken = 0;
        for (var tick = 0; tick <= 200; tick++)
        {
            while (queue.TryAdd(Request(BlobRequest.MaximumLength)))
            {
                // Always full.
            }
            while (!queue.IsEmpty && queue.TryTake(_time.GetTimestamp(), _time, out _, out _))
            {
                taken++;
                queue.TryAdd(Request(BlobRequest.MaximumLength));
            }
            if (tick == 0) Assert.Equal(64, taken);
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }
        Assert.Equal(64 + (2 * 64), taken);
    }

    [Fact]
    public void MoreThan32WaitingRequestsAreDropped()
    {
        var queue = new BlobQueue("flooding", _time.GetTimestamp());
        Assert.Equal(32, Enumerable.Range(0, 500).Count(_ => queue.TryAdd(Request(1))));
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void AnImpossibleLengthCostsAtMostAChunkAndGivesNothingBack(int length)
    {
        var queue = new BlobQueue("lying", _time.GetTimestamp());
        queue.TryAdd(Request(length));
        Assert.True(queue.TryTake(_time.GetTimestamp(), _time, out _, out _));
        Assert.False(queue.IsIdle(_time.GetTimestamp(), _time));
    }

    private static PendingBlob Request(int length) => new("d", new BlobRequest { Digest = SampleDocuments.DigestOf("x"), Offset = 0, Length = length }, null);
}
