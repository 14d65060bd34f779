using System.Text;
using Dunlin.Telemetry.Outbox;
using Dunlin.TestKit.Machine;

namespace Dunlin.Telemetry.Tests.Outbox;

public sealed class MessageQueueTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-outbox-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void MessagesComeInOrderAndLeaveAfterTheirAcknowledgement()
    {
        using (var queue = Open())
        {
            for (var i = 0; i < 500; i++) queue.Append(Message(i));
            Assert.Equal(Enumerable.Range(0, 100), Take(queue, 100));
        }

        using var again = Open();
        Assert.Equal(400, again.QueuedCount);
        Assert.Equal(Enumerable.Range(100, 400), Take(again, 400));
        Assert.Null(again.Peek());
        Assert.Equal(0, again.QueuedCount);
    }

    [Fact]
    public void AMessageIsAmongThoseThatWaitUntilItsAcknowledgementAlsoAfterARestart()
    {
        bool Waits(MessageQueue queue, int number) => queue.Any(payload => payload.AsSpan().SequenceEqual(Message(number)));
        using (var queue = Open())
        {
            for (var i = 0; i < 300; i++) queue.Append(Message(i));
            Assert.Equal(Enumerable.Range(0, 150), Take(queue, 150));
            Assert.False(Waits(queue, 149));
            Assert.True(Waits(queue, 150) && Waits(queue, 299));
        }

        using var again = Open();
        Assert.False(Waits(again, 149));
        Assert.True(Waits(again, 150) && Waits(again, 299));
        Assert.False(Waits(again, 300));
    }

    [Fact]
    public void ATornTailIsCutAndEverythingBeforeItStays()
    {
        using (var queue = Open())
        {
            for (var i = 0; i < 10; i++) queue.Append(Message(i));
        }

        var segment = Directory.GetFiles(_folder, "*.seg").Max()!;
        var whole = File.ReadAllBytes(segment);
        for (var cut = whole.Length - 1; cut > whole.Length - 20; cut--)
        {
            File.WriteAllBytes(segment, whole[..cut]);
            using var torn = Open();
            Assert.Equal(9, torn.QueuedCount);
            torn.Append(Message(77));
            Assert.Equal([.. Enumerable.Range(0, 9), 77], PeekAll(torn));
            File.Delete(Path.Combine(_folder, "cursor"));
        }
    }

    [Fact]
    public void AFullQueueDropsItsOldestTelemetryAndTheCountSurvives()
    {
        using (var queue = Open(65_536))
        {
            for (var i = 0; i < 5000; i++) queue.Append(Message(i));
            Assert.InRange(queue.ByteCount, 1, 65_536);
            Assert.Equal(5000, queue.QueuedCount + queue.DroppedCount);
        }

        using var again = Open(65_536);
        Assert.Equal(5000, again.QueuedCount + again.DroppedCount);
        Assert.True(again.DroppedCount > 0);
        Assert.Equal(Enumerable.Range((int)again.DroppedCount, (int)again.QueuedCount), Take(again, (int)again.QueuedCount));
    }

    [Fact]
    public void AMessageThatWasDroppedWhileItWasOnItsWayIsNotAcknowledgedForAnother()
    {
        using var queue = Open(65_536);
        queue.Append(Message(0));
        var first = queue.Peek()!;
        for (var i = 1; i < 5000; i++) queue.Append(Message(i));
        var queued = queue.QueuedCount;
        queue.Acknowledge(first);
        Assert.Equal(queued, queue.QueuedCount);
    }

    [Fact]
    public void ATornCursorMeansDuplicatesAndNothingElse()
    {
        using (var queue = Open())
        {
            for (var i = 0; i < 10; i++) queue.Append(Message(i));
            Take(queue, 5);
        }

        File.WriteAllBytes(Path.Combine(_folder, "cursor"), new byte[50]);
        using var again = Open();
        Assert.Equal(Enumerable.Range(0, 10), Take(again, 10));
    }

    [Fact]
    public void AFullDiskCostsTelemetryWhichIsCountedAndKeepsOutcomes()
    {
        using var disk = TinyDisk.Mount();
        using var telemetry = new MessageQueue(Path.Combine(disk.Path, "telemetry"), 1 << 24, Overflow.DropOldest);
        using var outcomes = new MessageQueue(Path.Combine(disk.Path, "outcomes"), long.MaxValue, Overflow.Keep);
        for (var i = 0; i < 20_000; i++) telemetry.Append(Message(i));
        Assert.True(telemetry.DroppedCount > 0);
        Assert.Equal(20_000, telemetry.QueuedCount + telemetry.DroppedCount);
        File.WriteAllBytes(Path.Combine(disk.Path, "filler"), []);
        disk.Fill();
        for (var i = 0; i < 50; i++) outcomes.Append(Message(i));
        Assert.Contains("has room", outcomes.Problem, StringComparison.Ordinal);
        Assert.Equal(50, outcomes.QueuedCount);
        disk.Free();
        Assert.Equal(Enumerable.Range(0, 50), Take(outcomes, 50));
        Assert.Equal(Enumerable.Range((int)telemetry.DroppedCount, (int)telemetry.QueuedCount), PeekAll(telemetry));
    }

    [Theory]
    [InlineData(65_536, 65_529)]
    [InlineData(1 << 24, Segment.MaximumPayloadByteCount + 1)]
    public void AMessageThatNeverFitsIsDroppedAloneAndSaid(long maximum, int byteCount)
    {
        using var queue = Open(maximum);
        for (var i = 0; i < 300; i++) queue.Append(Message(i));
        queue.Append(new byte[byteCount]);
        Assert.Equal((300, 1), (queue.QueuedCount, queue.DroppedCount));
        Assert.Contains($"larger than the {byteCount - 1} bytes", queue.Problem, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(0, 300), PeekAll(queue));
        queue.Append(new byte[byteCount - 1]);
        Assert.Equal((1, 1), (queue.QueuedCount, queue.DroppedCount));
        Assert.Null(queue.Problem);
    }

    [Fact]
    public void AnOutcomeThatNeverFitsIsDeliveredFromMemoryAndThoseBehindItToo()
    {
        using var outcomes = new MessageQueue(_folder, long.MaxValue, Overflow.Keep);
        outcomes.Append(new byte[Segment.MaximumPayloadByteCount + 1]);
        outcomes.Append(Message(1));
        Assert.NotNull(outcomes.Problem);
        outcomes.Acknowledge(outcomes.Peek()!);
        Assert.Equal([1], PeekAll(outcomes));
        Assert.Null(outcomes.Problem);
    }

    [Fact]
    public void ADiskThatTurnsReadOnlyCostsTheNewTelemetryAndNothingOfTheBacklog()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("Only root may mount.");
        using var disk = Ext4.TryMake("errors=remount-ro");
        if (disk is null) Assert.Skip("This sandbox has no loop devices, or no way to make ext4 fail.");
        using var queue = new MessageQueue(Path.Combine(disk.Folder, "telemetry"), 65_536, Overflow.DropOldest);
        // The last segment is full, so that a new one has to be made.
        var count = 0;
        do queue.Append(Message(count++));
        while (count < 300 || new FileInfo(Directory.GetFiles(Path.Combine(disk.Folder, "telemetry"), "*.seg").Max()!).Length < 4096);
        disk.Fail();
        queue.Append(Message(count));
        var problem = queue.Problem;
        Assert.Contains("cannot be written", problem, StringComparison.Ordinal);
        for (var i = 1; i < 20; i++) queue.Append(Message(count + i));
        Assert.Equal((count, 20), (queue.QueuedCount, queue.DroppedCount));
        Assert.Equal(problem, queue.Problem);
        Assert.Equal(Enumerable.Range(0, count), PeekAll(queue));
    }

    [Fact]
    public void ADiskThatTakesNoWritesAtTheStartIsUsedWhenItDoes()
    {
        using (var before = Open()) before.Append(Message(1));
        // A folder in the way of the cursor fails as a read-only file system does.
        var cursor = Path.Combine(_folder, "cursor");
        File.Delete(cursor);
        Directory.CreateDirectory(cursor);
        using var telemetry = Open();
        using var outcomes = new MessageQueue(_folder, long.MaxValue, Overflow.Keep);
        telemetry.Append(Message(2));
        outcomes.Append(Message(3));
        Assert.Equal((0, 1, 1), (telemetry.QueuedCount, telemetry.DroppedCount, outcomes.QueuedCount));
        Assert.NotNull(outcomes.Problem);
        Directory.Delete(cursor);
        telemetry.Append(Message(4));
        Assert.Equal([1, 4], Take(telemetry, 2));
        Assert.Equal(1, telemetry.DroppedCount);
        Assert.Null(telemetry.Problem);
    }

    [Fact]
    public void ARottenRecordIsLostAloneAndThatIsCountedAndSaid()
    {
        using var queue = Open();
        for (var i = 0; i < 10; i++) queue.Append(Message(i));
        Assert.Equal([0, 1], Take(queue, 2));
        Damage(Directory.GetFiles(_folder, "*.seg").Single(), offset: 2 * RecordByteCount + 20);
        Damage(Directory.GetFiles(_folder, "*.seg").Single(), offset: 9 * RecordByteCount + 20);
        Assert.Equal([3, 4, 5, 6, 7, 8], Take(queue, 6));
        Assert.Contains("has lost messages", queue.Problem, StringComparison.Ordinal);
        Assert.Null(queue.Peek());
        Assert.Equal((0, 2), (queue.QueuedCount, queue.DroppedCount));

        queue.Append(Message(10));
        Assert.Equal([10], PeekAll(queue));
        Assert.Equal((0, 2), (queue.QueuedCount, queue.DroppedCount));
        Assert.Null(queue.Problem);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(3, 1)]
    [InlineData(5, 1)]
    [InlineData(20, 1)]
    [InlineData(20, 300)]
    public void WhatIsBehindARottenRecordIsDeliveredAlsoAfterARestartAndTheLossIsCountedOnce(int offset, int byteCount)
    {
        using (var before = Open())
        {
            for (var i = 0; i < 10; i++) before.Append(Message(i));
        }

        for (var i = 0; i < byteCount; i++) Damage(Directory.GetFiles(_folder, "*.seg").Single(), (2 * RecordByteCount) + offset + i);
        var lost = 1 + (offset + byteCount - 1) / RecordByteCount;
        using (var queue = Open())
        {
            Assert.Equal(10 - lost, queue.QueuedCount);
            Assert.True(queue.Any(payload => payload.AsSpan().SequenceEqual(Message(9))));
            Assert.Equal([0, 1, 2 + lost], Take(queue, 3));
            Assert.Equal(1, queue.DroppedCount);
            Assert.Contains("has lost messages", queue.Problem, StringComparison.Ordinal);
        }

        using var again = Open();
        Assert.Equal(Enumerable.Range(3 + lost, 7 - lost), PeekAll(again));
        Assert.Equal((0, 1), (again.QueuedCount, again.DroppedCount));
    }

    [Fact]
    public void AMessageThatWasDroppedWhileItWasOnItsWayIsNotCountedTwice()
    {
        using var queue = Open(65_536);
        queue.Append(Message(0));
        var first = queue.Peek()!;
        for (var i = 1; i < 5000; i++) queue.Append(Message(i));
        queue.Discard(first);
        Assert.Equal(5000, queue.QueuedCount + queue.DroppedCount);
        queue.Discard(queue.Peek()!);
        Assert.Equal(5000, queue.QueuedCount + queue.DroppedCount);
    }

    [Fact]
    public void AFullQueueCountsWhatItDropsAlsoWhereThatHasRotted()
    {
        using var queue = Open(65_536);
        for (var i = 0; i < 100; i++) queue.Append(Message(i));
        Take(queue, 10);
        Damage(Directory.GetFiles(_folder, "*.seg").Min()!, offset: 20);
        for (var i = 100; i < 5000; i++) queue.Append(Message(i));
        Assert.Equal(4990, queue.QueuedCount + queue.DroppedCount);
        Assert.Equal(Enumerable.Range(5000 - (int)queue.QueuedCount, (int)queue.QueuedCount), PeekAll(queue));
        Assert.Null(queue.Peek());
    }

    [Fact]
    public void ASegmentThatTheDiskDoesNotGiveBackCostsNoOther()
    {
        using (var queue = Open(65_536))
        {
            for (var i = 0; i < 100; i++) queue.Append(Message(i));
        }

        // Nothing is mapped at this process's address 0, so that the kernel answers a read with EIO, as at a bad sector.
        var first = Directory.GetFiles(_folder, "*.seg").Min()!;
        File.Delete(first);
        File.CreateSymbolicLink(first, "/proc/self/mem");
        using var again = Open(65_536);
        Assert.Null(again.Problem);
        Assert.InRange(again.QueuedCount, 50, 99);
        again.Append(Message(100));
        var queued = (int)again.QueuedCount;
        Assert.False(again.Any(payload => payload.AsSpan().SequenceEqual(Message(0)), alsoAcknowledged: true));
        Assert.Equal(Enumerable.Range(101 - queued, queued), PeekAll(again));
        Assert.False(File.Exists(first));
    }

    private static int RecordByteCount => Segment.HeaderByteCount + Message(0).Length;

    private MessageQueue Open(long maximum = 1 << 20) => new(_folder, maximum, Overflow.DropOldest);

    private static void Damage(string path, long offset)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var value = new byte[1];
        RandomAccess.Read(file, value, offset);
        value[0] ^= 1;
        RandomAccess.Write(file, value, offset);
    }

    private static byte[] Message(int number) => Encoding.UTF8.GetBytes($"{number} {new string('x', 100)}");

    private static int[] PeekAll(MessageQueue queue) => Take(queue, (int)queue.QueuedCount);

    private static int[] Take(MessageQueue queue, int count)
    {
        var numbers = new int[count];
        for (var i = 0; i < count; i++)
        {
            var message = queue.Peek()!;
            numbers[i] = int.Parse(Encoding.UTF8.GetString(message.Payload).Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
            queue.Acknowledge(message);
        }

        return numbers;
    }
}
