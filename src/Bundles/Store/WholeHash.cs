using System.Buffers;
using System.Security.Cryptography;
using Dunlin.Contracts.Artifacts;
using Microsoft.Win32.SafeHandles;

namespace Dunlin.Bundles.Store;

/// <summary>The digest of a whole blob, fed with chunks as they come as long as they come in order; the rest is read back at the end.</summary>
internal sealed class WholeHash(Blob blob) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private int _next;

    internal void Append(int chunk, ReadOnlySpan<byte> content)
    {
        if (chunk != _next) return;
        _hash.AppendData(content);
        _next++;
    }

    /// <exception cref="IOException">The file became shorter.</exception>
    internal Digest Finish(SafeFileHandle file)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(blob.ChunkSize);
        try
        {
            for (; _next < blob.Chunks.Count; _next++)
            {
                var content = buffer.AsSpan(0, blob.ChunkLength(_next));
                if (!PartialBlob.ReadWhole(file, content, (long)_next * blob.ChunkSize))
                    throw new IOException($"The file of blob {blob.Digest} became shorter while it was fetched; fetch it again.");
                _hash.AppendData(content);
            }
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            _hash.GetHashAndReset(hash);
            return Digest.FromHash(hash);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public void Dispose() => _hash.Dispose();
}
