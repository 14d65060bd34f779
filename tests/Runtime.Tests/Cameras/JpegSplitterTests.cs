using CsCheck;
using Dunlin.Runtime.Cameras;
using Dunlin.Runtime.Preprocessing;

namespace Dunlin.Runtime.Tests.Cameras;

public sealed class JpegSplitterTests
{
    private static readonly byte[] Plain = TinyJpeg.Make(300, seed: 1);
    private static readonly byte[] WithThumbnail = TinyJpeg.Make(500, seed: 2, thumbnail: TinyJpeg.Make(80, seed: 3));
    private static readonly byte[] Progressive = TinyJpeg.Make(400, seed: 4, scans: 3);

    /// <summary>Longer than a segment can be.</summary>
    private static readonly byte[] LongStream = [.. Enumerable.Repeat(Plain, 200).SelectMany(image => image)];

    [Fact]
    public void WholeImagesComeOutUnchangedThumbnailsAndSeveralScansIncluded()
    {
        var (images, splitter) = Split([.. Plain, .. WithThumbnail, .. Progressive], 1000);
        Assert.Equal([Plain, WithThumbnail, Progressive], images);
        Assert.Equal((0, 0), (splitter.CorruptCount, splitter.SkippedByteCount));
    }

    [Fact]
    public void HowTheStreamIsChunkedDoesNotMatter() =>
        Gen.Select(Stream, Gen.Int[1, 700].Array[1, 20]).Sample((stream, sizes) =>
        {
            var (whole, wholeSplitter) = Split(stream, int.MaxValue);
            var (parts, partsSplitter) = Split(stream, sizes);
            return whole.Count == parts.Count && whole.Zip(parts).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second))
                && wholeSplitter.CorruptCount == partsSplitter.CorruptCount
                && wholeSplitter.SkippedByteCount == partsSplitter.SkippedByteCount;
        }, iter: 3000, threads: 1);

    [Fact]
    public void MutatedStreamsNeverThrowAndEveryByteIsUsedOnce() =>
        Gen.Select(Stream, Gen.Select(Gen.Int[0, 100_000], Gen.OneOf(Gen.Byte, Gen.Const((byte)0xFF), Gen.Const((byte)0xD8), Gen.Const((byte)0xD9))).Array[1, 40])
            .Sample((stream, mutations) =>
            {
                foreach (var (at, value) in mutations) stream[at % stream.Length] = value;
                var (images, splitter) = Split(stream, 97);
                return images.Sum(image => (long)image.Length) + splitter.SkippedByteCount <= stream.Length
                    && images.All(image => JpegHeader.HasMagic(image) && image is [.., 0xFF, 0xD9]);
            }, iter: 10_000, threads: 1);

    [Fact]
    public void GarbageBetweenFramesIsSkippedAndCounted()
    {
        byte[] garbage = [0, 1, 0xFF, 0xD8, 0x00, 0xFF, 0xFF, 0x33, 0xFF];
        var (images, splitter) = Split([.. garbage, .. Plain, .. garbage, .. Plain], 7);
        Assert.Equal([Plain, Plain], images);
        Assert.Equal((0, 2L * garbage.Length), (splitter.CorruptCount, splitter.SkippedByteCount));
    }

    [Fact]
    public void AFrameThatBreaksOffCostsOnlyItselfUnlessItMeetsTheNextOneAtAMarker()
    {
        var (cuts, merged) = (0, 0);
        foreach (var broken in (byte[][])[Plain, WithThumbnail])
        {
            for (var cut = 3; cut < broken.Length; cut++, cuts++)
            {
                byte[] stream = [.. broken.AsSpan(0, cut), .. Progressive, .. Plain, .. LongStream];
                var (images, splitter) = Split(stream, 4096);
                Assert.True(images.TakeLast(201).All(image => image.AsSpan().SequenceEqual(Plain)), $"cut at {cut}");
                Assert.InRange(images.Count, 201, 203);
                var isIntact = images.Count > 201 && images[^202].AsSpan().SequenceEqual(Progressive);
                if (isIntact) Assert.InRange(splitter.CorruptCount, 1, 2);
                else merged++;
            }
        }

        // A cut header then swallows the next frame's first bytes up to a marker: for the decoder to judge. In camera
        // frames, whose headers are a hundredth of their bytes, this is rarer than in these tiny ones.
        Assert.InRange(merged, 0, cuts / 30);
    }

    [Fact]
    public void ATableThatBreaksOffInItsLengthDelaysNothing()
    {
        var (images, splitter) = Split([0xFF, 0xD8, 0xFF, 0xDB, .. Plain], 16);
        Assert.Equal([Plain], images);
        Assert.Equal(1, splitter.CorruptCount);
    }

    [Fact]
    public void AFrameAboveTheBoundIsCorruptAndTheNextOneIsFound()
    {
        var splitter = new JpegSplitter(largestFrame: 1000);
        var large = TinyJpeg.Make(5000, seed: 9);
        Assert.Equal([Plain], Feed(splitter, [.. large, .. Plain], 128));
        Assert.Equal(1, splitter.CorruptCount);
    }

    [Fact]
    public void AnEndWithinAFrameIsCorrupt()
    {
        var splitter = new JpegSplitter();
        Assert.Equal([Plain], Feed(splitter, [.. Plain, .. Plain.AsSpan(0, 100)], 50));
        splitter.Reset();
        Assert.Equal(1, splitter.CorruptCount);
        Assert.Equal([Plain], Feed(splitter, Plain, 50));
    }

    [Fact]
    public void AnImageWithoutAScanIsNoFrame()
    {
        var (images, splitter) = Split([0xFF, 0xD8, 0xFF, 0xD9, .. Plain], 10);
        Assert.Equal([Plain], images);
        Assert.Equal(1, splitter.CorruptCount);
    }

    [Fact]
    public void TheCaptureTimeIsTheArrivalOfTheFirstByte()
    {
        var splitter = new JpegSplitter();
        byte[] stream = [.. Plain, .. Plain];
        List<long> times = [];
        for (var at = 0; at < stream.Length; at++)
        {
            stream.AsSpan(at, 1).CopyTo(splitter.GetSpan(1));
            splitter.Advance(1, at);
            while (splitter.TryTake(out _, out var captured)) times.Add(captured);
        }

        Assert.Equal([0, Plain.Length], times);
    }

    [Fact]
    public void AHostileStreamOfFalseImagesIsWalkedInLinearTime()
    {
        byte[] lie = [0xFF, 0xD8, 0xFF, 0xE0, 0xFF, 0xF0];
        var stream = new byte[6_000_000];
        for (var at = 0; at < stream.Length; at++) stream[at] = lie[at % lie.Length];
        var (images, splitter) = Split(stream, 65536);
        Assert.Empty(images);
        Assert.InRange(splitter.CorruptCount, 1, stream.Length / lie.Length);
    }

    private static Gen<byte[]> Stream { get; } =
        Gen.Select(Gen.Int[0, 5], Gen.Byte.Array[0, 60], Gen.Int[0, 400]).Array[1, 12].Select(parts =>
            parts.SelectMany(part => part.Item1 switch
            {
                0 => part.Item2,
                1 => Plain.AsSpan(0, Math.Min(part.Item3, Plain.Length)).ToArray(),
                2 => WithThumbnail,
                3 => Progressive,
                4 => WithThumbnail.AsSpan(0, Math.Min(part.Item3, WithThumbnail.Length)).ToArray(),
                _ => Plain,
            }).Append((byte)0).ToArray());

    private static (List<byte[]> Images, JpegSplitter Splitter) Split(byte[] stream, params int[] sizes)
    {
        var splitter = new JpegSplitter();
        return (Feed(splitter, stream, sizes), splitter);
    }

    private static List<byte[]> Feed(JpegSplitter splitter, byte[] stream, params int[] sizes)
    {
        List<byte[]> images = [];
        for (int at = 0, turn = 0; at < stream.Length; turn++)
        {
            var count = Math.Min(sizes[turn % sizes.Length], stream.Length - at);
            stream.AsSpan(at, count).CopyTo(splitter.GetSpan(count));
            splitter.Advance(count, at);
            at += count;
            while (splitter.TryTake(out var image, out _)) images.Add(image.ToArray());
        }

        return images;
    }
}
