using Dunlin.Bundles.Durability;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Fleet.Serving;

/// <summary>Copies of published blobs under <c>blobs/sha256/</c> of the state folder: what devices get over MQTT. Files never change.</summary>
internal sealed class PublishedBlobs(string folder)
{
    private readonly string _folder = Path.Combine(folder, "blobs", "sha256");

    /// <summary>Copies what is not there yet; each is whole or absent.</summary>
    public IReadOnlyList<(Digest Digest, long Size)> Add(Bundle bundle)
    {
        DurableFile.CreateDirectory(_folder);
        var parts = bundle.Parts();
        foreach (var part in parts)
        {
            if (!File.Exists(PathOf(part.Digest))) DurableFile.Copy(bundle.PathOf(part.Digest), PathOf(part.Digest));
        }
        return [.. parts.Select(part => (part.Digest, part.Size))];
    }

    /// <summary>Reads a piece; null if the file is gone or shorter.</summary>
    public byte[]? Read(Digest digest, long offset, int length)
    {
        try
        {
            using var file = File.OpenHandle(PathOf(digest));
            var bytes = new byte[length];
            for (var read = 0; read < length;)
            {
                var count = RandomAccess.Read(file, bytes.AsSpan(read), offset + read);
                if (count == 0) return null;
                read += count;
            }
            return bytes;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private string PathOf(Digest digest) => Path.Combine(_folder, digest.Hex);
}
