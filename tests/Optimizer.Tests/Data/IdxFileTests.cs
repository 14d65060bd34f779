using System.Buffers.Binary;
using System.IO.Compression;
using Dunlin.Optimizer.Data;

namespace Dunlin.Optimizer.Tests.Data;

public sealed class IdxFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-idx").FullName;

    [Theory]
    [InlineData("images")]
    [InlineData("images.gz")]
    public void AFileIsReadWhetherItIsGzippedOrNot(string name)
    {
        var (values, shape) = IdxFile.Read(Write(name, Idx([2, 3, 4])), rank: 3);

        Assert.Equal([2, 3, 4], shape);
        Assert.Equal(Enumerable.Range(0, 24).Select(i => (byte)i), values);
    }

    [Fact]
    public void AMissingFileSaysWhichPackageHasIt() =>
        Assert.Contains("dataset-fashion-mnist", Assert.Throws<FileNotFoundException>(() => IdxFile.Read(Path.Combine(_folder, "none"), 3)).Message);

    [Theory]
    [InlineData("cut.idx", "promises 24", 30)]
    [InlineData("header-only.idx", "ends before", 9)]
    [InlineData("empty.idx", "ends before", 0)]
    public void ATruncatedFileIsRefused(string name, string why, int length) =>
        Assert.Contains(why, Refused(name, Idx([2, 3, 4])[..length], 3));

    [Fact]
    public void ATruncatedGzipFileIsRefused()
    {
        var whole = Gzip(Idx([2, 3, 4]));
        Assert.NotEmpty(Refused("cut.gz", whole[..(whole.Length / 2)], 3, zip: false));
        Assert.Contains("gzip", Refused("not.gz", Idx([2, 3, 4]), 3, zip: false));
    }

    [Fact]
    public void AFileThatIsNoIdxOfBytesIsRefused()
    {
        Assert.Contains("not an IDX file", Refused("text.idx", "hello world"u8.ToArray(), 1));
        var floats = Idx([4]);
        floats[2] = 0x0d;
        Assert.Contains("0x0d", Refused("floats.idx", floats, 1));
    }

    [Fact]
    public void LabelsInPlaceOfImagesAreRefused() => Assert.Contains("1 dimensions where 3", Refused("labels.idx", Idx([24]), 3));

    [Fact]
    public void SizesThatOverflowAreRefused()
    {
        var bytes = Idx([2, 3, 4]);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), int.MaxValue);
        Assert.Contains("more than", Refused("huge.idx", bytes, 3));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), -1);
        Assert.Contains("must be positive", Refused("negative.idx", bytes, 3));
    }

    [Fact]
    public void LabelsOfAnotherCountOrOfNoClassAreRefused()
    {
        Assert.Contains("2 images but 3 labels", Assert.Throws<InvalidDataException>(() => new LabelledImages(new byte[8], new byte[3], 2, 2, ["a"])).Message);
        Assert.Contains("only 2 class names", Assert.Throws<InvalidDataException>(() => new LabelledImages(new byte[8], [0, 2], 2, 2, ["a", "b"])).Message);
    }

    [Fact]
    public void FashionMnistOfDebianIsWhole()
    {
        Assert.SkipUnless(Directory.Exists(FashionMnist.DebianFolder), "the Debian package dataset-fashion-mnist is not installed");
        var test = FashionMnist.ReadTest(FashionMnist.DebianFolder);
        Assert.Equal((10_000, 28, 28), (test.Count, test.Width, test.Height));
        Assert.Equal("ankle boot", test.ClassNames[test.Labels[0]]);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Refused(string name, byte[] content, int rank, bool zip = true) =>
        Assert.Throws<InvalidDataException>(() => IdxFile.Read(Write(name, content, zip), rank)).Message;

    private string Write(string name, byte[] content, bool zip = true)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, zip && name.EndsWith(".gz", StringComparison.Ordinal) ? Gzip(content) : content);
        return path;
    }

    private static byte[] Gzip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionMode.Compress)) zip.Write(content);
        return packed.ToArray();
    }

    private static byte[] Idx(int[] shape)
    {
        var count = shape.Aggregate(1, (a, b) => a * b);
        var bytes = new byte[4 + 4 * shape.Length + count];
        bytes[2] = 8;
        bytes[3] = (byte)shape.Length;
        for (var i = 0; i < shape.Length; i++) BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 + 4 * i), shape[i]);
        for (var i = 0; i < count; i++) bytes[^(count - i)] = (byte)i;
        return bytes;
    }
}
