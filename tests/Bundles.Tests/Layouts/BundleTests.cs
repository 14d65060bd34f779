using System.Text.Json.Nodes;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.TestKit;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Samples;

namespace Dunlin.Bundles.Tests.Layouts;

public sealed class BundleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Directory => _folder["bundle"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatIsPackedIsOpened()
    {
        var packed = SampleBundle.Write(Directory);
        var opened = Bundle.Open(Directory);
        Assert.Equal(packed.ReleaseId, opened.ReleaseId);
        Assert.Equal(Digest.Of(File.ReadAllBytes(opened.PathOf(opened.ReleaseId))), opened.ReleaseId);
        Assert.Equal(SampleBundle.Labels, opened.Labels);
        Assert.Equal(200, opened.OpenGolden().Count);
        Assert.Null(opened.Signature);
        Assert.All(opened.Manifest.Variants, v => Assert.Equal(v.Blob.Digest, Digest.Of(File.ReadAllBytes(opened.PathOf(v)))));
    }

    [Fact]
    public void TheSameInputGivesTheSameBytes()
    {
        var (one, two) = (SampleBundle.Write(Directory), SampleBundle.Write(_folder["again"]));
        Assert.Equal(one.ReleaseId, two.ReleaseId);
        Assert.Equal(File.ReadAllBytes(Path.Combine(one.Path, "index.json")), File.ReadAllBytes(Path.Combine(two.Path, "index.json")));
    }

    [Fact]
    public void ASignatureKeepsTheReleaseIdAndCanBeReplaced()
    {
        var bundle = SampleBundle.Write(Directory);
        using var key = SigningKey.Generate();
        using var other = SigningKey.Generate();
        var signed = bundle.WithSignature(key.Sign(MediaTypes.Manifest, bundle.ManifestBytes));
        Assert.Equal(bundle.ReleaseId, signed.ReleaseId);
        var twice = signed.WithSignature(other.AddTo(signed.Signature!));
        Assert.Equal(bundle.ReleaseId, Bundle.Open(Directory).ReleaseId);
        Assert.Equal([key.KeyId, other.KeyId], twice.Signature!.Signatures.Select(s => s.KeyId));
        // manifest, image, signature, labels, golden set and two variants: nothing old is left
        Assert.Equal(7, System.IO.Directory.GetFiles(Path.Combine(Directory, "blobs", "sha256")).Length);
    }

    [Fact]
    public void ASignatureOfAnotherManifestIsRefused()
    {
        var bundle = SampleBundle.Write(Directory);
        using var key = SigningKey.Generate();
        var other = Manifest.Format.Write(bundle.Manifest with { Version = 99 });
        Refused(BundleProblem.Signature, () => bundle.WithSignature(key.Sign(MediaTypes.Manifest, other)));
        Refused(BundleProblem.Signature, () => bundle.WithSignature(key.Sign(MediaTypes.Directive, bundle.ManifestBytes)));
    }

    [Fact]
    public void AMissingBlobIsNamed()
    {
        var file = SampleBundle.Write(Directory).GoldenPath;
        File.Delete(file);
        Assert.Contains(file, Refused(BundleProblem.MissingBlob), StringComparison.Ordinal);
    }

    [Fact]
    public void AFlippedBitNamesItsChunk()
    {
        var bundle = SampleBundle.Write(Directory);
        var file = bundle.PathOf(bundle.Manifest.Variants[1]);
        var bytes = File.ReadAllBytes(file);
        bytes[70_000] ^= 1;
        File.WriteAllBytes(file, bytes);
        Assert.Contains("chunk 1 ", Refused(BundleProblem.CorruptBlob), StringComparison.Ordinal);
    }

    [Fact]
    public void AWrongListOfChunksIsFoundBeforeItIsSigned()
    {
        var writer = new BundleWriter();
        var manifest = SampleBundle.Manifest(writer);
        var variant = manifest.Variants[1];
        Digest[] chunks = [.. variant.Blob.Chunks.Skip(1), variant.Blob.Chunks[0]];
        var wrong = manifest with { Variants = [manifest.Variants[0], variant with { Blob = variant.Blob with { Chunks = chunks } }, .. manifest.Variants.Skip(2)] };
        Assert.Contains("chunk 0 ", Refused(BundleProblem.CorruptBlob, () => writer.Write(Directory, wrong)), StringComparison.Ordinal);
    }

    [Fact]
    public void AVariantOfAnotherReleaseIsRefused()
    {
        var bundle = SampleBundle.Write(Directory);
        var writer = new BundleWriter();
        var other = writer.Write(_folder["other"], SampleBundle.Manifest(writer, seed: 2));
        File.Copy(other.PathOf(other.Manifest.Variants[0]), bundle.PathOf(bundle.Manifest.Variants[0]), overwrite: true);
        Refused(BundleProblem.CorruptBlob);
    }

    [Fact]
    public void ATruncatedBlobIsRefusedEvenWhenOnlyTheManifestIsChecked()
    {
        var bundle = SampleBundle.Write(Directory);
        using (var file = File.OpenWrite(bundle.PathOf(bundle.Manifest.Variants[0]))) file.SetLength(100);
        Refused(BundleProblem.CorruptBlob);
        Refused(BundleProblem.CorruptBlob, () => Bundle.Open(Directory, BundleCheck.ManifestOnly));
    }

    [Fact]
    public void ASymbolicLinkForABlobIsRefused()
    {
        var file = SampleBundle.Write(Directory).GoldenPath;
        File.Move(file, _folder["elsewhere"]);
        File.CreateSymbolicLink(file, _folder["elsewhere"]);
        Refused(BundleProblem.NotRegularFile);
    }

    [Fact]
    public void ALinkedBlobFolderIsRefused()
    {
        SampleBundle.Write(Directory);
        System.IO.Directory.Move(Path.Combine(Directory, "blobs"), _folder["elsewhere"]);
        System.IO.Directory.CreateSymbolicLink(Path.Combine(Directory, "blobs"), _folder["elsewhere"]);
        Refused(BundleProblem.NotRegularFile);
    }

    [Fact]
    public async Task AFifoForABlobIsRefusedWithoutWaiting()
    {
        var file = SampleBundle.Write(Directory).GoldenPath;
        File.Delete(file);
        await Tool.SucceedAsync("mkfifo", file);
        Refused(BundleProblem.NotRegularFile);
    }

    [Fact]
    public void AnUnknownFieldInTheManifestIsRefused()
    {
        Rewrite(SampleBundle.Write(Directory), manifest => manifest["colour"] = "red", _ => { });
        Assert.Contains("colour", Refused(BundleProblem.Manifest), StringComparison.Ordinal);
    }

    [Fact]
    public void AnExtraLayerIsRefused()
    {
        var bundle = SampleBundle.Write(Directory);
        Rewrite(bundle, _ => { }, image => image["layers"]!.AsArray().Add(Descriptor("application/x-extra", bundle.ReleaseId, bundle.ManifestBytes.Length)));
        Assert.Contains("extra layer", Refused(BundleProblem.Layout), StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingLayerIsRefused()
    {
        Rewrite(SampleBundle.Write(Directory), _ => { }, image => image["layers"]!.AsArray().RemoveAt(1));
        Assert.Contains("lacks the layer", Refused(BundleProblem.Layout), StringComparison.Ordinal);
    }

    [Fact]
    public void AnotherMediaTypeIsRefused()
    {
        Rewrite(SampleBundle.Write(Directory), _ => { }, image => image["layers"]![0]!["mediaType"] = MediaTypes.Golden);
        Refused(BundleProblem.Layout);
    }

    [Fact]
    public void AnImageOfAnotherKindIsRefused()
    {
        Rewrite(SampleBundle.Write(Directory), _ => { }, image => image["artifactType"] = "application/vnd.other");
        Assert.Contains("another kind of image", Refused(BundleProblem.Layout), StringComparison.Ordinal);
    }

    [Fact]
    public void ADigestThatIsAPathIsRefused()
    {
        SampleBundle.Write(Directory);
        var index = Path.Combine(Directory, "index.json");
        File.WriteAllText(index, File.ReadAllText(index).Replace("sha256:", "sha256:../../", StringComparison.Ordinal));
        Refused(BundleProblem.Layout);
    }

    [Theory]
    [InlineData("oci-layout")]
    [InlineData("index.json")]
    public void AMissingOrBrokenIndexFileIsNamed(string name)
    {
        SampleBundle.Write(Directory);
        File.WriteAllText(Path.Combine(Directory, name), "{");
        Assert.Contains(name, Refused(BundleProblem.Layout), StringComparison.Ordinal);
        File.Delete(Path.Combine(Directory, name));
        Assert.Contains(name, Refused(BundleProblem.Layout), StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderThatIsNoneIsRefused() => Refused(BundleProblem.Layout);

    [Fact]
    public void PackingWithAnUnaddedBlobLeavesNothingBehind()
    {
        var writer = new BundleWriter();
        var manifest = SampleBundle.Manifest(writer) with { Labels = SampleDocuments.Blob("nowhere", 10) };
        Refused(BundleProblem.MissingBlob, () => writer.Write(Directory, manifest));
        Assert.Empty(System.IO.Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void PackingAGoldenSetOfAnotherManifestLeavesNothingBehind()
    {
        var writer = new BundleWriter();
        var manifest = SampleBundle.Manifest(writer);
        Refused(BundleProblem.Golden, () => writer.Write(Directory, manifest with { Input = manifest.Input with { Width = 9 } }));
        Assert.Empty(System.IO.Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void PackingOverSomethingElseIsRefused()
    {
        SampleBundle.Write(Directory);
        Refused(BundleProblem.Layout, () => SampleBundle.Write(Directory));
    }

    private string Refused(BundleProblem problem, Func<Bundle>? open = null)
    {
        var e = Assert.Throws<BundleException>(open ?? (() => Bundle.Open(Directory)));
        Assert.True(e.Problem == problem, $"{e.Problem}: {e.Message}");
        return e.Message;
    }

    private static JsonObject Descriptor(string type, Digest digest, long size) => new() { ["mediaType"] = type, ["digest"] = digest.ToString(), ["size"] = size };

    // Changes manifest and image as an attacker would, with every digest made right again.
    private static void Rewrite(Bundle bundle, Action<JsonObject> changeManifest, Action<JsonObject> changeImage)
    {
        var index = Path.Combine(bundle.Path, "index.json");
        var entries = JsonNode.Parse(File.ReadAllText(index))!;
        var imageFile = bundle.PathOf(Digest.Parse(entries["manifests"]![0]!["digest"]!.GetValue<string>()));
        var manifest = JsonNode.Parse(bundle.ManifestBytes.Span)!.AsObject();
        changeManifest(manifest);
        var image = JsonNode.Parse(File.ReadAllText(imageFile))!.AsObject();
        image["config"] = Store(bundle, MediaTypes.Manifest, manifest);
        changeImage(image);
        entries["manifests"]![0] = Store(bundle, "application/vnd.oci.image.manifest.v1+json", image);
        File.WriteAllText(index, entries.ToJsonString());
    }

    private static JsonObject Store(Bundle bundle, string type, JsonObject content)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(content.ToJsonString());
        File.WriteAllBytes(bundle.PathOf(Digest.Of(bytes)), bytes);
        return Descriptor(type, Digest.Of(bytes), bytes.Length);
    }
}
