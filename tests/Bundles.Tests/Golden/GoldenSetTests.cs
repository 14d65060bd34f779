using System.Buffers.Binary;
using CsCheck;
using Dunlin.Bundles.Golden;
using Dunlin.Bundles.Layouts;
using Dunlin.TestKit;

namespace Dunlin.Bundles.Tests.Golden;

public sealed class GoldenSetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => _folder["golden"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatIsWrittenIsRead() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 12], Gen.Int[1, 12], Gen.Bool.Select(rgb => rgb ? 3 : 1), Gen.Int[0, 4], Gen.Int).Sample((count, height, width, channels, variants, seed) =>
        {
            var random = new Random(seed);
            var shape = new GoldenShape(count, height, width, channels);
            var content = Content(shape, variants, random);
            GoldenSet.Write(File, content);
            var set = GoldenSet.Open(File);
            Assert.Equal(shape, set.Shape);
            Assert.Equal(content.Predictions.Keys.Order(StringComparer.Ordinal), set.Variants);
            for (var i = 0; i < count; i++)
            {
                Assert.True(set.Image(i).SequenceEqual(content.Pixels.Span.Slice(i * shape.ImageByteCount, shape.ImageByteCount)));
                Assert.Equal(content.Labels[i], set.Label(i));
                foreach (var (id, classes) in content.Predictions) Assert.Equal(classes[i], set.Prediction(id, i));
            }
        }, iter: 200, threads: 1);

    [Fact]
    public void IndicesAndVariantsOutsideAreRefused()
    {
        GoldenSet.Write(File, Content(new GoldenShape(3, 2, 2, 1), 1, new Random(1)));
        var set = GoldenSet.Open(File);
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Label(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Image(-1).Length);
        Assert.Throws<KeyNotFoundException>(() => set.Prediction("other", 0));
        Assert.False(set.Has("other"));
    }

    [Fact]
    public void AccessAllocatesNothing()
    {
        GoldenSet.Write(File, Content(new GoldenShape(3, 2, 2, 1), 1, new Random(1)));
        var set = GoldenSet.Open(File);
        long Touch() => set.Image(1).Length + set.Label(1) + set.Prediction("v0", 1);
        Touch();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Touch();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Theory]
    [InlineData(0, "does not begin with DNLNGOLD")]
    [InlineData(8, "format version")]
    [InlineData(12, "out of range")]
    [InlineData(24, "out of range")]
    [InlineData(28, "out of range")]
    public void ABrokenHeaderIsRefused(int offset, string rule)
    {
        GoldenSet.Write(File, Content(new GoldenShape(3, 2, 2, 1), 1, new Random(1)));
        var bytes = System.IO.File.ReadAllBytes(File);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(offset), uint.MaxValue);
        Refused(bytes, rule);
    }

    [Fact]
    public void EveryTruncationAndAnExtraByteAreRefused()
    {
        GoldenSet.Write(File, Content(new GoldenShape(3, 2, 2, 1), 2, new Random(1)));
        var bytes = System.IO.File.ReadAllBytes(File);
        for (var length = 0; length < bytes.Length; length++) Refused(bytes[..length], "bytes");
        Refused([.. bytes, 0], "bytes");
    }

    [Fact]
    public void ATwiceNamedOrMisnamedVariantIsRefused()
    {
        GoldenSet.Write(File, Content(new GoldenShape(3, 2, 2, 1), 2, new Random(1)));
        var bytes = System.IO.File.ReadAllBytes(File);
        const int firstId = 32 + 12 + 6, secondId = firstId + 64 + 6;
        bytes.AsSpan(firstId, 64).CopyTo(bytes.AsSpan(secondId));
        Refused(bytes, "twice");
        bytes[secondId] = 255;
        Refused(bytes, "valid id");
    }

    [Fact]
    public void AnOversizeFileIsRefusedUnread()
    {
        using (var file = System.IO.File.Create(File)) file.SetLength((16 * 1024 * 1024) + 1);
        Assert.Throws<BundleException>(() => GoldenSet.Open(File));
    }

    [Fact]
    public void InconsistentContentIsNotWritten()
    {
        var content = Content(new GoldenShape(3, 2, 2, 1), 1, new Random(1));
        Assert.Throws<ArgumentException>(() => GoldenSet.Write(File, content with { Labels = [1] }));
        Assert.Throws<ArgumentException>(() => GoldenSet.Write(File, content with { Pixels = new byte[3] }));
        Assert.Throws<ArgumentException>(() => GoldenSet.Write(File, content with { Shape = new GoldenShape(3, 2, 2, 4) }));
        Assert.Throws<ArgumentException>(() => GoldenSet.Write(File, content with { Labels = [1, 2, 70_000] }));
        Assert.False(System.IO.File.Exists(File));
    }

    private void Refused(byte[] bytes, string rule)
    {
        System.IO.File.WriteAllBytes(File, bytes);
        var e = Assert.Throws<BundleException>(() => GoldenSet.Open(File));
        Assert.Equal(BundleProblem.Golden, e.Problem);
        Assert.Contains(rule, e.Message, StringComparison.Ordinal);
    }

    private static GoldenContent Content(GoldenShape shape, int variants, Random random)
    {
        var pixels = new byte[shape.Count * shape.ImageByteCount];
        random.NextBytes(pixels);
        return new GoldenContent
        {
            Shape = shape,
            Pixels = pixels,
            Labels = Classes(),
            Predictions = Enumerable.Range(0, variants).ToDictionary(i => $"v{i}", _ => Classes()),
        };

        IReadOnlyList<int> Classes() => [.. Enumerable.Range(0, shape.Count).Select(_ => random.Next(65_536))];
    }
}
