using Dunlin.Bundles.Store;

namespace Dunlin.Bundles.Tests.Store;

/// <summary>Stores chunks one after the other, as a slow source brings them.</summary>
internal static class ChunkByChunk
{
    /// <returns>False if the bytes are not this chunk; nothing has changed then.</returns>
    public static bool TryWriteChunk(this PartialBlob partial, int chunk, ReadOnlySpan<byte> content)
    {
        if (!partial.IsChunk(chunk, content)) return false;
        partial.WriteAsync(chunk, content.ToArray()).GetAwaiter().GetResult();
        partial.Append(chunk, 1, content);
        partial.Mark(chunk, 1);
        return true;
    }
}
