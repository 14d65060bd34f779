using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Bundles.Tests.Layouts;

public sealed class RegistryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private Process? _registry;

    public void Dispose()
    {
        _registry?.Kill();
        _registry?.WaitForExit();
        _registry?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task ABundleThatWentThroughARegistryHasTheSameReleaseId()
    {
        Tool.SkipUnlessInstalled("skopeo", "docker-registry");
        var port = await StartRegistryAsync();
        var bundle = SampleBundle.Write(_folder["bundle"]);
        using var key = SigningKey.Generate();
        bundle = bundle.WithSignature(key.Sign(MediaTypes.Manifest, bundle.ManifestBytes));
        var remote = $"docker://127.0.0.1:{port}/garments:{bundle.ReleaseId.Hex}";
        await Tool.SucceedAsync("skopeo", "copy", "--preserve-digests", "--dest-tls-verify=false", $"oci:{bundle.Path}", remote);
        await Tool.SucceedAsync("skopeo", "copy", "--preserve-digests", "--src-tls-verify=false", remote, $"oci:{_folder["back"]}:any-tag");
        var back = Bundle.Open(_folder["back"]);
        Assert.Equal(bundle.ReleaseId, back.ReleaseId);
        Assert.Equal(key.KeyId, Assert.Single(back.Signature!.Signatures).KeyId);
        Assert.Equal(200, back.OpenGolden().Count);
        using var http = new HttpClient();
        var blob = await http.GetByteArrayAsync(new Uri($"http://127.0.0.1:{port}/v2/garments/blobs/{bundle.ReleaseId}"), TestContext.Current.CancellationToken);
        Assert.Equal(bundle.ManifestBytes.ToArray(), blob);
    }

    private async Task<int> StartRegistryAsync()
    {
        int port;
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }
        var configuration = _folder["registry.yml"];
        await File.WriteAllTextAsync(configuration, $"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {_folder["registry"]}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n", TestContext.Current.CancellationToken);
        _registry = Process.Start(new ProcessStartInfo("docker-registry", ["serve", configuration]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _registry.BeginOutputReadLine();
        _registry.BeginErrorReadLine();
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    using var client = new TcpClient();
                    await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
                    return true;
                }
                catch (SocketException)
                {
                    return false;
                }
            },
            "docker-registry listens");
        return port;
    }
}
