using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Bundles.Layouts;

/// <summary>Describes and checks content-addressed files, chunk by chunk in one pass.</summary>
public static class BlobFile
{
    // Small enough to stay in a core's cache between the read and the hash.
    private const int ReadByteCount = 128 * 1024;

    /// <summary>Digests, whole and per chunk, of the file as it is now.</summary>
    public static Blob Describe(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        return Describe(file);
    }

    /// <summary>Digests of bytes in memory.</summary>
    public static Blob Describe(ReadOnlyMemory<byte> content)
    {
        var chunks = new List<Digest>();
        for (var at = 0; at < content.Length; at += Blob.StandardChunkSize)
            chunks.Add(Digest.Of(content.Span[at..Math.Min(content.Length, at + Blob.StandardChunkSize)]));
        return Make(Digest.Of(content.Span), content.Length, chunks);
    }

    private static Blob Describe(Stream content)
    {
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[Blob.StandardChunkSize];
        var chunks = new List<Digest>();
        var size = 0L;
        int count;
        while ((count = content.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)) > 0)
        {
            whole.AppendData(buffer, 0, count);
            chunks.Add(Digest.Of(buffer.AsSpan(0, count)));
            size += count;
        }
        return Make(Digest.FromHash(whole.GetHashAndReset()), size, chunks);
    }

    /// <summary>Reads all of the file and compares size and digest.</summary>
    /// <exception cref="BundleException">It is absent, not a regular file, or differs; the message names the first bad chunk.</exception>
    public static void Verify(string path, Blob expected)
    {
        using var file = RegularFile.Open(path, expected.Size);
        if (DigestOf(file) == expected.Digest) return;
        file.Position = 0;
        Compare(path, Describe(file), expected);
        throw Corrupt(path, "it changed while it was read");
    }

    /// <summary>As <see cref="Verify"/>, and the list of its chunks with it, which a fetch will rely on.</summary>
    /// <exception cref="BundleException">It is absent, not a regular file, or differs; the message names the first bad chunk.</exception>
    public static void VerifyWithChunks(string path, Blob expected)
    {
        using var file = RegularFile.Open(path, expected.Size);
        Compare(path, Describe(file), expected);
    }

    /// <summary>Verifies files side by side, as many at once as there are cores.</summary>
    /// <returns>For each file what is wrong with it, or null.</returns>
    internal static IReadOnlyList<Exception?> VerifyAll(IReadOnlyList<(string Path, Blob Blob)> files)
    {
        var problems = new Exception?[files.Count];
        Parallel.For(0, files.Count, index =>
        {
            try
            {
                Verify(files[index].Path, files[index].Blob);
            }
            catch (Exception e) when (e is BundleException or IOException or UnauthorizedAccessException)
            {
                problems[index] = e;
            }
        });
        return problems;
    }

    private static Digest DigestOf(FileStream file)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(ReadByteCount);
        try
        {
            while (file.Read(buffer) is > 0 and var count) hash.AppendData(buffer, 0, count);
            return Digest.FromHash(hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Compare(string path, Blob actual, Blob expected)
    {
        for (var i = 0; i < Math.Min(actual.Chunks.Count, expected.Chunks.Count); i++)
        {
            if (actual.Chunks[i] != expected.Chunks[i])
                throw Corrupt(path, string.Create(CultureInfo.InvariantCulture, $"chunk {i} has the digest {actual.Chunks[i]}, and must have {expected.Chunks[i]}"));
        }
        if (actual.Chunks.Count != expected.Chunks.Count)
            throw Corrupt(path, string.Create(CultureInfo.InvariantCulture, $"it has {actual.Chunks.Count} chunks, and the manifest lists {expected.Chunks.Count}"));
        if (actual.Digest != expected.Digest)
            throw Corrupt(path, $"its digest is {actual.Digest}, and must be {expected.Digest}");
    }

    internal static BundleException Corrupt(string path, string what) =>
        new(BundleProblem.CorruptBlob, $"Blob '{path}' is corrupt: {what}; fetch or build the bundle again.");

    private static Blob Make(Digest digest, long size, List<Digest> chunks) =>
        new() { Digest = digest, Size = size, ChunkSize = Blob.StandardChunkSize, Chunks = chunks };
}
