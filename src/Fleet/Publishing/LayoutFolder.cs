using System.Text.Json.Nodes;
using Dunlin.Bundles.Durability;
using Dunlin.Bundles.Layouts;

namespace Dunlin.Fleet.Publishing;

/// <summary>An OCI layout that any HTTP server can serve, of as many releases as are published into it. One writer.</summary>
internal static class LayoutFolder
{
    private const string Index = "index.json", TagAnnotation = "org.opencontainers.image.ref.name";
    private const string EmptyIndex = """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}""";

    /// <summary>Blobs first, the index last: whoever reads meanwhile sees whole releases only.</summary>
    /// <returns>Blobs copied, and blobs that were there.</returns>
    /// <exception cref="FleetException">The folder holds something else.</exception>
    public static (int Copied, int Present) Add(string folder, Bundle bundle, string tag)
    {
        var layout = Path.Combine(folder, "oci-layout");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any() && !File.Exists(layout))
            throw new FleetException(ExitCodes.CannotCreate, $"'{folder}' holds something that is no OCI layout; name an empty folder, or one that was published into.");
        var blobs = Path.Combine(folder, "blobs", "sha256");
        CreateServed(blobs);
        var parts = bundle.Parts().Append(bundle.ImagePart()).ToList();
        var copied = 0;
        foreach (var part in parts)
        {
            var target = Path.Combine(blobs, part.Digest.Hex);
            if (File.Exists(target)) continue;
            DurableFile.Copy(bundle.PathOf(part.Digest), target);
            copied++;
        }
        if (!File.Exists(layout)) DurableFile.Write(layout, """{"imageLayoutVersion":"1.0.0"}"""u8);
        DurableFile.Write(Path.Combine(folder, Index), Merge(Path.Combine(folder, Index), bundle.ImagePart(), tag));
        return (copied, parts.Count - copied);
    }

    private static byte[] Merge(string path, BundlePart image, string tag)
    {
        var index = JsonNode.Parse(File.Exists(path) ? File.ReadAllBytes(path) : System.Text.Encoding.UTF8.GetBytes(EmptyIndex))!.AsObject();
        var manifests = index["manifests"]?.AsArray() ?? [];
        var others = manifests.Where(entry => (string?)entry?["digest"] != image.Digest.ToString() && (string?)entry?["annotations"]?[TagAnnotation] != tag).Select(entry => entry?.DeepClone());
        index["manifests"] = new JsonArray([.. others, new JsonObject
        {
            ["mediaType"] = image.MediaType,
            ["digest"] = image.Digest.ToString(),
            ["size"] = image.Size,
            ["artifactType"] = Contracts.Artifacts.MediaTypes.Bundle,
            ["annotations"] = new JsonObject { [TagAnnotation] = tag },
        }]);
        return System.Text.Encoding.UTF8.GetBytes(index.ToJsonString());
    }

    // A web server runs as another user, and has to enter.
    private static void CreateServed(string path)
    {
        if (Directory.Exists(path)) return;
        Directory.CreateDirectory(path);
        for (var folder = path; folder is not null && Directory.Exists(folder) && Path.GetFileName(folder) is "sha256" or "blobs"; folder = Path.GetDirectoryName(folder)!) DurableFile.SyncDirectory(Path.GetDirectoryName(folder)!);
    }
}
