using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.TestKit;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Registries;
using Dunlin.TestKit.Samples;

namespace Dunlin.Bundles.Tests.Layouts;

public sealed class RegistryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ABundleThatWentThroughARegistryHasTheSameReleaseId()
    {
        Tool.SkipUnlessInstalled("skopeo");
        await using var registry = await DockerRegistry.StartAsync();
        var bundle = SampleBundle.Write(_folder["bundle"]);
        using var key = SigningKey.Generate();
        bundle = bundle.WithSignature(key.Sign(MediaTypes.Manifest, bundle.ManifestBytes));
        var remote = $"docker://{registry.Host}/garments:{bundle.ReleaseId.Hex}";
        await Tool.SucceedAsync("skopeo", "copy", "--preserve-digests", "--dest-tls-verify=false", $"oci:{bundle.Path}", remote);
        await Tool.SucceedAsync("skopeo", "copy", "--preserve-digests", "--src-tls-verify=false", remote, $"oci:{_folder["back"]}:any-tag");
        var back = Bundle.Open(_folder["back"]);
        Assert.Equal(bundle.ReleaseId, back.ReleaseId);
        Assert.Equal(key.KeyId, Assert.Single(back.Signature!.Signatures).KeyId);
        Assert.Equal(200, back.OpenGolden().Count);
        using var http = new HttpClient();
        var blob = await http.GetByteArrayAsync(new Uri($"http://{registry.Host}/v2/garments/blobs/{bundle.ReleaseId}"), TestContext.Current.CancellationToken);
        Assert.Equal(bundle.ManifestBytes.ToArray(), blob);
    }
}
