using System.Text.Json.Nodes;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Trust;
using Dunlin.Bundles.Tests.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.TestKit;
using Dunlin.TestKit.Samples;

namespace Dunlin.Bundles.Tests.Layouts;

/// <summary>Row 7 of the promises: nothing of one valid release gets into another, in whichever layer it is tried.</summary>
public sealed class MixAndMatchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TestKeys _keys = new();
    private readonly Bundle _mine;
    private readonly Bundle _other;

    public MixAndMatchTests()
    {
        _mine = Signed("mine", seed: 1);
        _other = Signed("other", seed: 2);
    }

    [Fact]
    public void BothAreValidAsTheyCame()
    {
        Assert.True(IsTrusted(Bundle.Open(_mine.Path)));
        Assert.True(IsTrusted(Bundle.Open(_other.Path)));
    }

    [Theory]
    [InlineData("variant 0")]
    [InlineData("variant 1")]
    [InlineData("golden set")]
    [InlineData("labels")]
    [InlineData("variant 1 for variant 0")]
    public void ABlobOfAnotherReleaseUnderTheOldNameIsNoticed(string what)
    {
        var (from, to) = what switch
        {
            "variant 0" => (_other.PathOf(_other.Manifest.Variants[0]), _mine.PathOf(_mine.Manifest.Variants[0])),
            "variant 1" => (_other.PathOf(_other.Manifest.Variants[1]), _mine.PathOf(_mine.Manifest.Variants[1])),
            "golden set" => (_other.GoldenPath, _mine.GoldenPath),
            "labels" => (_other.PathOf(_other.Manifest.Labels.Digest), _mine.PathOf(_mine.Manifest.Labels.Digest)),
            _ => (_mine.PathOf(_mine.Manifest.Variants[1]), _mine.PathOf(_mine.Manifest.Variants[0])),
        };
        File.Copy(from, to, overwrite: true);
        var e = Assert.Throws<BundleException>(() => Bundle.Open(_mine.Path));
        Assert.Equal(BundleProblem.CorruptBlob, e.Problem);
        Assert.Contains(Path.GetFileName(to), e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MediaTypes.Variant)]
    [InlineData(MediaTypes.Golden)]
    public void ALayerThatNamesAnotherReleasesBlobIsNoticed(string mediaType)
    {
        Rewrite((mine, other) => LayerOf(mine, mediaType)["digest"] = LayerOf(other, mediaType)["digest"]!.GetValue<string>());
        Assert.Contains("extra layer", Assert.Throws<BundleException>(() => Bundle.Open(_mine.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AManifestOfAnotherReleaseWithTheBlobsOfThisOneIsNoticed()
    {
        Rewrite((mine, other) => mine["config"] = other["config"]!.DeepClone());
        Assert.Throws<BundleException>(() => Bundle.Open(_mine.Path));
    }

    [Fact]
    public void AnotherReleasesSignatureIsNoneForThisOne()
    {
        Rewrite((mine, other) =>
        {
            LayerOf(mine, MediaTypes.Signature)["digest"] = LayerOf(other, MediaTypes.Signature)["digest"]!.GetValue<string>();
            LayerOf(mine, MediaTypes.Signature)["size"] = LayerOf(other, MediaTypes.Signature)["size"]!.GetValue<long>();
        });
        Assert.Equal(BundleProblem.Signature, Assert.Throws<BundleException>(() => Bundle.Open(_mine.Path)).Problem);
    }

    public void Dispose()
    {
        _keys.Dispose();
        _folder.Dispose();
    }

    private Bundle Signed(string name, int seed)
    {
        var writer = new BundleWriter();
        var manifest = SampleBundle.Manifest(writer, seed);
        // Golden set and labels differ as well.
        var golden = SampleBundle.Golden(manifest);
        byte[] pixels = [(byte)seed, .. golden.Pixels.Span[1..]];
        manifest = manifest with
        {
            Labels = writer.AddLabels([$"shirt {seed}", "coat", "bag"]),
            Golden = manifest.Golden with { Blob = writer.AddGolden(golden with { Pixels = pixels }) },
        };
        var bundle = writer.Write(_folder[name], manifest);
        return bundle.WithSignature(TestKeys.Sign(MediaTypes.Manifest, bundle.ManifestBytes.ToArray(), _keys.ReleaseKeys));
    }

    private bool IsTrusted(Bundle bundle) => EnvelopeVerifier.Verify(bundle.Signature!, SigningRole.Release, _keys.Root()).IsAccepted;

    /// <summary>Changes my image manifest with the other's at hand, puts the other's blobs beside mine, and makes the index right again.</summary>
    private void Rewrite(Action<JsonObject, JsonObject> change)
    {
        foreach (var file in Directory.GetFiles(Path.Combine(_other.Path, "blobs", "sha256")))
            File.Copy(file, Path.Combine(_mine.Path, "blobs", "sha256", Path.GetFileName(file)), overwrite: true);
        var image = ImageOf(_mine);
        change(image, ImageOf(_other));
        var bytes = System.Text.Encoding.UTF8.GetBytes(image.ToJsonString());
        File.WriteAllBytes(_mine.PathOf(Digest.Of(bytes)), bytes);
        var path = Path.Combine(_mine.Path, "index.json");
        var index = JsonNode.Parse(File.ReadAllText(path))!;
        (index["manifests"]![0]!["digest"], index["manifests"]![0]!["size"]) = (Digest.Of(bytes).ToString(), bytes.Length);
        File.WriteAllText(path, index.ToJsonString());
    }

    private static JsonObject ImageOf(Bundle bundle)
    {
        var index = JsonNode.Parse(File.ReadAllText(Path.Combine(bundle.Path, "index.json")))!;
        return JsonNode.Parse(File.ReadAllText(bundle.PathOf(Digest.Parse(index["manifests"]![0]!["digest"]!.GetValue<string>()))))!.AsObject();
    }

    private static JsonObject LayerOf(JsonObject image, string mediaType) =>
        image["layers"]!.AsArray().First(layer => layer!["mediaType"]!.GetValue<string>() == mediaType)!.AsObject();
}
