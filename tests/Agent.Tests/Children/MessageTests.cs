using System.Buffers.Binary;
using System.Text.Json;
using Dunlin.Agent.Children;
using Dunlin.Contracts;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.TestKit;

namespace Dunlin.Agent.Tests.Children;

public sealed class MessageTests
{
    // A result but for its last brace.
    private const string Whole = "{\"type\":\"result\",\"frame\":1,\"session\":2,\"capturedNanoseconds\":3,\"latencyMilliseconds\":4.5,\"scores\":[{\"index\":6,\"probability\":0.5}]";

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
        var result = Assert.IsType<FrameResult>(buffer.TakeFromChild());
        Assert.Equal((7, 123456789, 4.5), (result.Frame, result.CapturedNanoseconds, result.LatencyMilliseconds));
        Assert.Equal([new ClassScore(3, 0.75f), new ClassScore(0, 0.25f)], result.Scores);
        Assert.True(buffer.IsEmpty);
    }

    [Theory]
    [InlineData(Whole + "}", true)]
    [InlineData(" " + Whole + " }\n", true)]
    [InlineData("{\"type\":\"result\",\"session\":2,\"frame\":1,\"capturedNanoseconds\":3,\"latencyMilliseconds\":4.5,\"scores\":[{\"index\":6,\"probability\":0.5}]}", false)]
    [InlineData("{\"type\":\"result\",\"frame\":1,\"session\":2,\"capturedNanoseconds\":3,\"latencyMilliseconds\":4.5,\"scores\":[{\"probability\":0.5,\"index\":6}]}", false)]
    public void AResultInAnyOrderIsTheSameWithTheSerializerOrWithout(string json, bool without)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(json);
        var expected = Assert.IsType<FrameResult>(JsonSerializer.Deserialize(bytes, StrictJson.Default.FromChild));
        Assert.Equal([new ClassScore(6, 0.5f)], expected.Scores);
        var quick = FrameResultReader.Read(bytes);
        Assert.Equal(without, quick is not null);
        if (quick is not null) Assert.Equivalent(expected, quick, strict: true);
        var buffer = new MessageBuffer();
        Feed(buffer, Framed(bytes), pieceLength: 4096);
        Assert.Equivalent(expected, buffer.TakeFromChild(), strict: true);
    }

    [Fact]
    public void AHeatOfManyContendersFitsIntoAMessageHoweverManyLabelsTheirModelHas()
    {
        using var folder = new TemporaryFolder();
        var session = TestChildren.Session(folder, [], classes: 65_536);
        using var writer = new MessageWriter();
        var request = new Heat { Sessions = [.. Enumerable.Repeat(session, 64 * 8)], Objective = Objective.Latency, BudgetMilliseconds = 1000, Alpha = 0.01, TieMargin = 0.05 };
        var buffer = new MessageBuffer();
        foreach (var part in writer.Write(request).ToArray().Chunk(4096))
        {
            part.CopyTo(buffer.Free);
            buffer.Advance(part.Length);
        }

        var read = Assert.IsType<Heat>(buffer.Take(StrictJson.Default.ToChild));
        Assert.All(read.Sessions, told => Assert.Equal((65_536, 0), (told.ClassCount, told.Labels.Count)));
    }

    [Fact]
    public void MessagesThatArriveTogetherComeOutOneByOne()
    {
        using var writer = new MessageWriter();
        var buffer = new MessageBuffer();
        for (var i = 0; i < 1000; i++) Feed(buffer, writer.Write(new Heartbeat { Classified = i }).Span, pieceLength: 4096);
        for (var i = 0; i < 1000; i++) Assert.Equal(i, Assert.IsType<Heartbeat>(buffer.TakeFromChild()).Classified);
        Assert.Null(buffer.TakeFromChild());
    }

    [Theory]
    [InlineData("{\"type\":\"heartbeat\",\"classified\":1,\"extra\":2}")]
    [InlineData("{\"type\":\"\\ud800\"}")]
    [InlineData("{\"type\":\"result\",\"\\ud800\":1}")]
    [InlineData("{\"\\ud800\":\"result\"}")]
    [InlineData(Whole + ",\"extra\":1}")]
    [InlineData(Whole + ",\"frame\":1}")]
    [InlineData(Whole + "}}")]
    [InlineData(Whole)]
    [InlineData("{\"type\":\"result\",\"frame\":1.5,\"session\":0,\"capturedNanoseconds\":2,\"latencyMilliseconds\":3,\"scores\":[]}")]
    [InlineData("{\"type\":\"result\",\"frame\":1,\"session\":0,\"capturedNanoseconds\":2,\"latencyMilliseconds\":3,\"scores\":[{\"index\":1,\"probability\":1,\"label\":2}]}")]
    [InlineData("{\"type\":\"result\",\"frame\":1,\"session\":0,\"capturedNanoseconds\":2,\"latencyMilliseconds\":3}")]
    [InlineData("{\"type\":\"heartbeat\"}")]
    [InlineData("{\"type\":\"nothing\"}")]
    [InlineData("{\"classified\":1}")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\u0000")]
    public void WhatIsNotOfTheProtocolIsRefused(string json)
    {
        var buffer = new MessageBuffer();
        Feed(buffer, Framed(System.Text.Encoding.UTF8.GetBytes(json)), pieceLength: 4096);
        Assert.Throws<MessageException>(() => buffer.TakeFromChild());
    }

    private static byte[] Framed(byte[] json)
    {
        var message = new byte[json.Length + 4];
        BinaryPrimitives.WriteInt32LittleEndian(message, json.Length);
        json.CopyTo(message, 4);
        return message;
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
