using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;
using Dunlin.Runtime.Tests.Frames;
using Dunlin.TestKit.Machine;

namespace Dunlin.Runtime.Tests.Preprocessing;

[Collection(nameof(AloneInTheProcess))]
public sealed class BadFrameTests : IDisposable
{
    private readonly Preprocessor _preprocessor = new(Inputs.MobileNet);
    private readonly float[] _tensor;

    public BadFrameTests() => _tensor = new float[_preprocessor.TensorLength];

    [Theory]
    [InlineData(TestJpeg.Sampling420, 0)]
    [InlineData(TestJpeg.Sampling422, 0)]
    [InlineData(TestJpeg.SamplingGray, 0)]
    [InlineData(TestJpeg.Sampling420, TestJpeg.Progressive)]
    public void AJpegCutAnywhereIsCorrupt(int sampling, int flags)
    {
        var whole = TestJpeg.Encode(640, 480, sampling, flags: flags);
        Assert.Equal(FrameStatus.Ok, Process(whole));
        for (var percent = 5; percent < 100; percent += 5)
            Assert.Equal(FrameStatus.Corrupt, Process(whole[..(whole.Length * percent / 100)]));
        Assert.Equal(FrameStatus.Corrupt, Process(whole[..^1]));
        Assert.Equal(FrameStatus.Corrupt, Process(whole[..^2]));
        Assert.Equal(FrameStatus.Corrupt, Process(whole[..^3]));
    }

    /// <summary>What is only changed in its frame header: nothing is decoded of it.</summary>
    [Theory]
    [InlineData(0xC0, 8, 4, "a CMYK")]
    [InlineData(0xC2, 8, 4, "a CMYK")]
    [InlineData(0xC1, 12, 3, "a 12-bit")]
    [InlineData(0xC3, 8, 3, "a lossless")]
    [InlineData(0xC9, 8, 3, "an arithmetic-coded")]
    [InlineData(0xCA, 8, 1, "an arithmetic-coded")]
    public void AJpegOfAKindThatNoCameraSendsIsNotCalledDamaged(byte marker, byte bits, byte components, string kind)
    {
        var jpeg = TestJpeg.Encode(640, 480);
        var frame = jpeg.AsSpan().IndexOf((byte[])[0xFF, 0xC0]);
        (jpeg[frame + 1], jpeg[frame + 4], jpeg[frame + 9]) = (marker, bits, components);
        Assert.Equal((FrameStatus.Unsupported, kind), (Process(jpeg), JpegHeader.UndecodedKind(jpeg)));
        Assert.Null(JpegHeader.UndecodedKind(TestJpeg.Encode(640, 480)));
    }

    [Fact]
    public void AGapInTheDataIsCorrupt()
    {
        var whole = TestJpeg.Encode(640, 480);
        whole.AsSpan(whole.Length / 2, 400).Clear();
        Assert.Equal(FrameStatus.Corrupt, Process(whole));
    }

    [Theory]
    [InlineData(0xD0, 1)]
    [InlineData(0xD4, 4)]
    [InlineData(0xD9, 2)]
    public void AFewBytesThatACameraPutsBeforeAMarkerDoNoHarm(byte marker, int count)
    {
        var whole = TestJpeg.EncodeWithRestarts(640, 480);
        Process(whole);
        var expected = _tensor.ToArray();
        var at = whole.AsSpan().LastIndexOf((byte[])[0xFF, marker]);
        Assert.Equal(FrameStatus.Ok, Process([.. whole[..at], .. new byte[count], .. whole[at..]]));
        Assert.Equal(expected, _tensor);
    }

    [Theory]
    [InlineData(TestJpeg.Sampling420, 0x00)]
    [InlineData(TestJpeg.Sampling422, 0x5A)]
    [InlineData(TestJpeg.Sampling444, 0x80)]
    [InlineData(TestJpeg.SamplingGray, 0x00)]
    public void BytesBeforeEachMarkerDoNoHarmAndCostNoMemory(int sampling, byte padding)
    {
        var whole = TestJpeg.EncodeWithRestarts(633, 475, sampling);
        Process(whole);
        var expected = _tensor.ToArray();
        var frame = TestJpeg.Frame(Padded(whole, padding));
        Assert.Equal(FrameStatus.Ok, _preprocessor.Process(frame, _tensor));
        Assert.Equal(expected, _tensor);
        var before = GC.GetAllocatedBytesForCurrentThread();
        _preprocessor.Process(frame, _tensor);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void APaddedFrameOfACameraThatLeavesTheUsualTablesOutIsDecoded()
    {
        var whole = Padded(TestJpeg.EncodeWithRestarts(640, 480), 0);
        Process(whole);
        var expected = _tensor.ToArray();
        while (whole.AsSpan().IndexOf((byte[])[0xFF, 0xC4]) is >= 0 and var at) whole = [.. whole[..at], .. whole[(at + 2 + (whole[at + 2] << 8) + whole[at + 3])..]];
        Assert.Equal(FrameStatus.Ok, Process(whole));
        Assert.Equal(expected, _tensor);
    }

    [Fact]
    public void APaddedFrameThatIsCutAnywhereIsCorrupt()
    {
        var whole = Padded(TestJpeg.EncodeWithRestarts(640, 480), 0);
        Assert.Equal(FrameStatus.Ok, Process(whole));
        for (var percent = 5; percent < 100; percent += 5)
        {
            Assert.Equal(FrameStatus.Corrupt, Process(whole[..(whole.Length * percent / 100)]));
            Assert.Equal(FrameStatus.Corrupt, Process([.. whole[..(whole.Length * percent / 100)], 0xFF, 0xD9]));
        }

        Assert.Equal(FrameStatus.Corrupt, Process(whole[..^2]));
    }

    [Fact]
    public void APaddedFrameWithAGapIsCorrupt()
    {
        var whole = Padded(TestJpeg.EncodeWithRestarts(640, 480), 0);
        var at = whole.Length / 2;
        Assert.Equal(FrameStatus.Corrupt, Process([.. whole[..at], .. new byte[400], .. whole[(at + 400)..]]));
        Assert.Equal(FrameStatus.Corrupt, Process([.. whole[..at], .. whole[(at + 400)..]]));
        // An interval is gone with its marker.
        var (from, to) = (whole.AsSpan().IndexOf((byte[])[0xFF, 0xD3]), whole.AsSpan().IndexOf((byte[])[0xFF, 0xD4]));
        Assert.Equal(FrameStatus.Corrupt, Process([.. whole[..from], .. whole[to..]]));
    }

    [Theory]
    [InlineData(0xD4)]
    [InlineData(0xD9)]
    public void ManyBytesBeforeAMarkerAreDamage(byte marker)
    {
        var whole = TestJpeg.EncodeWithRestarts(640, 480);
        var at = whole.AsSpan().LastIndexOf((byte[])[0xFF, marker]);
        Assert.Equal(FrameStatus.Corrupt, Process([.. whole[..at], .. new byte[40], .. whole[at..]]));
    }

    [Fact]
    public void PaddingAfterTheEndDoesNoHarm()
    {
        Assert.Equal(FrameStatus.Ok, Process([.. TestJpeg.Encode(640, 480), .. new byte[4096]]));
    }

    [Fact]
    public void AnOversizedClaimCostsNeitherTimeNorMemory()
    {
        var claim = TestJpeg.Claiming(TestJpeg.Encode(640, 480, quality: 97), 16383, 16383);
        Assert.InRange(claim.Length, 40_000, 400_000);
        Process(claim);
        var (before, started) = (PeakMemory.Reset(), Environment.CpuUsage.TotalTime);
        for (var i = 0; i < 100; i++) Assert.Equal(FrameStatus.TooLarge, Process(claim));
        Assert.InRange((Environment.CpuUsage.TotalTime - started).TotalMilliseconds, 0, 500);
        Assert.InRange(PeakMemory.ByteCount() - before, long.MinValue, 8 << 20);
    }

    [Fact]
    public void AProgressiveClaimIsHeldToItsLowerLimit()
    {
        var claim = TestJpeg.Claiming(TestJpeg.Encode(640, 480, flags: TestJpeg.Progressive), 4096, 4096);
        Assert.Equal(FrameStatus.TooLarge, Process(claim));
    }

    [Fact]
    public void WhatIsNoJpegSaysSo()
    {
        Assert.Equal(FrameStatus.Empty, Process([]));
        Assert.Equal(FrameStatus.NotJpeg, Process([0xFF]));
        Assert.Equal(FrameStatus.NotJpeg, Process("\x89PNG\r\n\x1a\n and more"u8.ToArray()));
        Assert.Equal(FrameStatus.NotJpeg, Process(new byte[100_000]));
        Assert.Equal(FrameStatus.Corrupt, Process([0xFF, 0xD8, 0xFF]));
        Assert.Equal(FrameStatus.Corrupt, Process([0xFF, 0xD8, 0xFF, 0xD9]));
    }

    [Theory]
    [InlineData(640, 480, 1280, 640 * 480 * 2 - 1)]
    [InlineData(640, 480, 1280, 640 * 480 * 2 + 1)]
    [InlineData(640, 480, 1279, 640 * 480 * 2)]
    [InlineData(0, 480, 1280, 640 * 480 * 2)]
    [InlineData(640, -480, 1280, 640 * 480 * 2)]
    [InlineData(641, 480, 1282, 641 * 480 * 2)]
    [InlineData(int.MaxValue - 1, 2, int.MaxValue, 100)]
    public void AYuyvFrameOfAnotherLengthThanItsSizeIsRefused(int width, int height, int stride, int length)
    {
        var frame = new FrameBuffer { Format = PixelFormat.Yuyv, Width = width, Height = height, Stride = stride };
        frame.Resize(length).Clear();
        Assert.Equal(FrameStatus.WrongLength, _preprocessor.Process(frame, _tensor));
    }

    [Fact]
    public void TenThousandMutationsNeitherCrashNorEatMemory()
    {
        byte[][] originals =
        [
            TestJpeg.Encode(96, 80), TestJpeg.Encode(64, 48, TestJpeg.Sampling444),
            TestJpeg.Encode(96, 80, flags: TestJpeg.Progressive), TestJpeg.Encode(33, 17, TestJpeg.SamplingGray),
        ];
        var random = new Random(35);
        var frame = new FrameBuffer { Format = PixelFormat.Jpeg };
        foreach (var original in originals) Process(original);
        var before = PeakMemory.Reset();
        var refused = 0;
        for (var i = 0; i < 10_000; i++)
        {
            var original = originals[i % originals.Length];
            var bytes = frame.Resize(original.Length);
            original.CopyTo(bytes);
            // Half of them in the headers, where a byte weighs most.
            for (var n = random.Next(1, 6); n > 0; n--)
                bytes[random.Next(i % 2 == 0 ? Math.Min(650, bytes.Length) : bytes.Length)] = (byte)random.Next(256);
            if (_preprocessor.Process(frame, _tensor) != FrameStatus.Ok) refused++;
        }

        Assert.InRange(refused, 2_000, 10_000);
        Assert.InRange(PeakMemory.ByteCount() - before, long.MinValue, 64 << 20);
        Assert.Equal(FrameStatus.Ok, Process(originals[0]));
    }

    public void Dispose() => _preprocessor.Dispose();

    /// <summary>Three bytes more before each marker behind the first scan's header.</summary>
    private static byte[] Padded(byte[] jpeg, byte padding)
    {
        var padded = new List<byte>();
        var isScan = false;
        for (var i = 0; i < jpeg.Length; i++)
        {
            isScan |= i > 0 && jpeg[i - 1] == 0xFF && jpeg[i] == 0xDA;
            if (isScan && jpeg[i] == 0xFF && jpeg[i + 1] is >= 0xD0 and <= 0xD9) padded.AddRange([padding, padding, padding]);
            padded.Add(jpeg[i]);
        }

        return [.. padded];
    }

    private FrameStatus Process(byte[] jpeg) => _preprocessor.Process(TestJpeg.Frame(jpeg), _tensor);
}
