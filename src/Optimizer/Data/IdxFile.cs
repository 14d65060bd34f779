using System.Buffers.Binary;
using System.IO.Compression;

namespace Dunlin.Optimizer.Data;

/// <summary>Reads the IDX format of the MNIST family (http://yann.lecun.com/exdb/mnist): big-endian header, then unsigned bytes; gzipped or not.</summary>
internal static class IdxFile
{
    private const int UnsignedByte = 0x08;

    /// <summary>The bytes of a tensor of unsigned bytes, with the dimensions that its header states.</summary>
    /// <param name="path">A file whose name may end in <c>.gz</c>.</param>
    /// <param name="rank">How many dimensions it must have: 1 for labels, 3 for images.</param>
    /// <exception cref="InvalidDataException">The file is not IDX, has another rank or element type, or is cut short or too long.</exception>
    public static (byte[] Values, int[] Shape) Read(string path, int rank)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no file '{path}'; install the Debian package dataset-fashion-mnist, or name a folder with the four IDX files.", path);

        using var content = Open(path);
        try
        {
            return Parse(content, path, rank);
        }
        catch (EndOfStreamException)
        {
            throw new InvalidDataException($"'{path}' ends before the values that its header promises; fetch it again.");
        }
    }

    private static MemoryStream Open(string path)
    {
        using var file = File.OpenRead(path);
        var content = new MemoryStream();
        if (!path.EndsWith(".gz", StringComparison.Ordinal))
        {
            file.CopyTo(content);
        }
        else
        {
            try
            {
                using var unpacked = new GZipStream(file, CompressionMode.Decompress);
                unpacked.CopyTo(content);
            }
            catch (InvalidDataException error)
            {
                throw new InvalidDataException($"'{path}' is not a whole gzip file ({error.Message}); fetch it again.", error);
            }
        }

        content.Position = 0;
        return content;
    }

    private static (byte[] Values, int[] Shape) Parse(MemoryStream content, string path, int rank)
    {
        Span<byte> word = stackalloc byte[4];
        content.ReadExactly(word);
        if (word[0] != 0 || word[1] != 0)
            throw new InvalidDataException($"'{path}' is not an IDX file: it does not begin with two zero bytes.");
        if (word[2] != UnsignedByte)
            throw new InvalidDataException($"'{path}' holds elements of type 0x{word[2]:x2}; only unsigned bytes (0x08) are read.");
        if (word[3] != rank)
            throw new InvalidDataException($"'{path}' has {word[3]} dimensions where {rank} are needed; images have 3, labels 1.");

        var shape = new int[rank];
        var count = 1L;
        for (var i = 0; i < rank; i++)
        {
            content.ReadExactly(word);
            shape[i] = BinaryPrimitives.ReadInt32BigEndian(word);
            if (shape[i] <= 0) throw new InvalidDataException($"'{path}' states a dimension of {shape[i]}; it must be positive.");
            count *= shape[i];
            if (count > int.MaxValue) throw new InvalidDataException($"'{path}' states more than {int.MaxValue} values.");
        }

        var left = content.Length - content.Position;
        if (left != count)
            throw new InvalidDataException($"'{path}' holds {left} values but its header promises {count}; fetch it again.");
        var values = new byte[count];
        content.ReadExactly(values);
        return (values, shape);
    }
}
