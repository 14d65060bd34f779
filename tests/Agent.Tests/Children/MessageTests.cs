using System.Buffers.Binary;
using Dunlin.Agent.Children;
using Dunlin.Contracts;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Tests.Children;

public sealed class MessageTests
{
    [Fact]
    public void WritingAResultAllocatesNothing()
    {
        using var writer = new MessageWriter();
        ClassScore[] scores = [new(3, 0.75f), new(1, 0.2f), new(9, 0.05f)];
        for (var i = 0; i < 100; i++) writer.WriteResult(i, i, 1.5, scores);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++) writer.WriteResult(i, i * 33_000_000L, 12.25, scores);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void AResultFromItsPartsReadsAsTheMessage()
    {
        using var writer = new MessageWriter();
        var buffer = new MessageBuffer();
        Feed(buffer, writer.WriteResult(7, 123456789, 4.5, [new(3, 0.75f), new(0, 0.25f)]).Span, pieceLength: 3);
        var result = Assert.IsType<FrameResult>(buffer.Take(StrictJson.Default.FromChild));
        Assert.Equal((7, 123456789, 4.5), (result.Frame, result.CapturedNanoseconds, result.LatencyMilliseconds));
        Assert.Equal([new ClassScore(3, 0.75f), new ClassScore(0, 0.25f)], result.Scores);
        Assert.True(buffer.IsEmpty);
    }

    [Fact]
    public void MessagesThatArriveTogetherComeOutOneByOne()
    {
        using var writer = new MessageWriter();
        var buffer = new MessageBuffer();
        for (var i = 0; i < 1000; i++) Feed(buffer, writer.Write(new Heartbeat { Classified = i }).Span, pieceLength: 4096);
        for (var i = 0; i < 1000; i++) Assert.Equal(i, Assert.IsType<Heartbeat>(buffer.Take(StrictJson.Default.FromChild)).Classified);
        Assert.Null(buffer.Take(StrictJson.Default.FromChild));
    }

    [Theory]
    [InlineData("{\"type\":\"heartbeat\",\"classified\":1,\"extra\":2}")]
    [InlineData("{\"type\":\"heartbeat\"}")]
    [InlineData("{\"type\":\"nothing\"}")]
    [InlineData("{\"classified\":1}")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\u0000")]
    public void WhatIsNotOfTheProtocolIsRefused(string json)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(json);
        var message = new byte[bytes.Length + 4];
        BinaryPrimitives.WriteInt32LittleEndian(message, bytes.Length);
        bytes.CopyTo(message, 4);
        var buffer = new MessageBuffer();
        Feed(buffer, message, pieceLength: 4096);
        Assert.Throws<MessageException>(() => buffer.Take(StrictJson.Default.FromChild));
    }

    private static void Feed(MessageBuffer buffer, ReadOnlySpan<byte> bytes, int pieceLength)
    {
        while (!bytes.IsEmpty)
        {
            var free = buffer.Free;
            var length = Math.Min(Math.Min(pieceLength, bytes.Length), free.Length);
            bytes[..length].CopyTo(free);
            buffer.Advance(length);
            bytes = bytes[length..];
        }
    }
}
