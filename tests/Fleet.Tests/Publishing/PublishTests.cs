using Dunlin.Bundles.Layouts;
using Dunlin.Fleet.Publishing;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Registries;
using Dunlin.TestKit.Servers;

namespace Dunlin.Fleet.Tests.Publishing;

public sealed class PublishTests : IDisposable
{
    private const string User = "carol", Password = "correct-horse-battery";
    private readonly Desk _desk = new();

    [Fact]
    public async Task ARegistryKeepsEveryDigestAndSkopeoBringsTheSameReleaseBack()
    {
        Tool.SkipUnlessInstalled("skopeo");
        await using var registry = await DockerRegistry.StartAsync();
        var bundle = await PrepareAsync();
        Assert.Equal(0, await PublishAsync(bundle, $"oci://{registry.Host}/plant/garments:friday", "--json"));
        Assert.Equal(bundle.Parts().Count, _desk.Json.GetProperty("sent").GetInt32());
        Assert.Equal($"oci://{registry.Host}/plant/garments", _desk.Json.GetProperty("where").GetString());
        var signature = _desk.Json.GetProperty("signature").GetString();
        using var http = new HttpClient();
        foreach (var part in bundle.Parts())
        {
            var bytes = await http.GetByteArrayAsync(new Uri($"http://{registry.Host}/v2/plant/garments/blobs/{part.Digest}"), TestContext.Current.CancellationToken);
            Assert.Equal(part.Digest, Contracts.Artifacts.Digest.Of(bytes));
        }
        Assert.Contains(bundle.Parts(), part => part.Digest.ToString() == signature);
        await Tool.SucceedAsync("skopeo", "copy", "--preserve-digests", "--src-tls-verify=false", $"docker://{registry.Host}/plant/garments:friday", $"oci:{_desk.At("back")}:any");
        Assert.Equal(bundle.ReleaseId, Bundle.Open(_desk.At("back")).ReleaseId);

        Assert.Equal(0, await PublishAsync(bundle, $"oci://{registry.Host}/plant/garments:friday", "--json"));
        Assert.Equal((0, bundle.Parts().Count), (_desk.Json.GetProperty("sent").GetInt32(), _desk.Json.GetProperty("present").GetInt32()));
    }

    [Fact]
    public async Task ARegistryWhoseStorageServesItsBlobsIsSentNoneAgain()
    {
        await using var registry = await DockerRegistry.StartAsync();
        await registry.RedirectAsync(new Uri("http://127.0.0.1:1"));
        var bundle = await PrepareAsync();
        Assert.Equal(0, await PublishAsync(bundle, $"oci://{registry.Host}/garments", "--json"));
        Assert.Equal(bundle.Parts().Count, _desk.Json.GetProperty("sent").GetInt32());
        Assert.Equal(0, await PublishAsync(bundle, $"oci://{registry.Host}/garments", "--json"));
        Assert.Equal(bundle.Parts().Count, _desk.Json.GetProperty("present").GetInt32());
    }

    [Theory]
    [InlineData("{\"token\":\"\\ud800\"}")]
    [InlineData("{\"token\":1}")]
    [InlineData("[]")]
    [InlineData("no JSON")]
    public async Task ATokenServerWithoutATokenLetsNobodyIn(string answer)
    {
        await using var tokens = new ScriptedServer(async (_, stream, cancellationToken) =>
        {
            await ScriptedServer.HeadAsync(stream, "200 OK", cancellationToken);
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(answer), cancellationToken);
        });
        await using var registry = new ScriptedServer(async (_, stream, cancellationToken) =>
            await ScriptedServer.HeadAsync(stream, $"401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"{tokens.Address}/t\"\r\nContent-Length: 0", cancellationToken));
        Assert.Equal(77, await PublishAsync(await PrepareAsync(), $"oci://{registry.Host}/garments"));
        Assert.Contains("does not let us push", _desk.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OfARealmThatIsNamedTwiceTheFirstIsAsked()
    {
        await using var tokens = new ScriptedServer(async (_, stream, cancellationToken) =>
        {
            await ScriptedServer.HeadAsync(stream, "200 OK", cancellationToken);
            await stream.WriteAsync("{\"token\":\"abc\"}"u8.ToArray(), cancellationToken);
        });
        await using var registry = new ScriptedServer(async (_, stream, cancellationToken) =>
            await ScriptedServer.HeadAsync(stream, $"401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"{tokens.Address}/t\",realm=\"{tokens.Address}/other\"\r\nContent-Length: 0", cancellationToken));
        Assert.Equal(77, await PublishAsync(await PrepareAsync(), $"oci://{registry.Host}/garments"));
        Assert.All(tokens.Requests, request => Assert.Equal("/t?scope=repository%3Agarments%3Apull%2Cpush", request.Path));
        Assert.Equal("Bearer abc", registry.Requests[1].Headers["Authorization"]);
    }

    [Fact]
    public async Task ARegistryWithBasicAuthenticationWantsTheRightPassword()
    {
        await using var registry = await DockerRegistry.StartAsync(User, Password);
        await RefusesThenTakesAsync(registry);
    }

    [Fact]
    public async Task ARegistryWithBearerTokensWantsThemFromItsRealm()
    {
        await using var realm = new TokenRealm(User, Password);
        await using var registry = await DockerRegistry.StartAsync(realm.Address, TokenRealm.Service, TokenRealm.Issuer, realm.CertificatePem);
        await RefusesThenTakesAsync(registry);
        Assert.NotEmpty(realm.Tokens);
        Assert.All(realm.Tokens, token => Assert.DoesNotContain(token, _desk.Everything, StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnAbsentRegistryIsNamed()
    {
        var bundle = await PrepareAsync();
        Assert.Equal(69, await PublishAsync(bundle, "oci://127.0.0.1:1/garments"));
        Assert.Contains("127.0.0.1:1", _desk.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OneFolderHoldsManyReleasesAndIsALayoutForEveryTool()
    {
        Tool.SkipUnlessInstalled("skopeo");
        var first = await PrepareAsync();
        var second = await _desk.SignedBundleAsync(2);
        var folder = _desk.At("served");
        Assert.Equal(0, await PublishAsync(first, folder, "--url", "https://files.example/garments/", "--json"));
        Assert.Equal("https://files.example/garments", _desk.Json.GetProperty("where").GetString());
        Assert.Equal(0, await PublishAsync(second, folder, "--json"));
        foreach (var (bundle, tag) in ((Bundle, string)[])[(first, "garments-1.1.0"), (second, "garments-1.2.0")])
        {
            Assert.All(bundle.Parts(), part => Assert.True(File.Exists(Path.Combine(folder, "blobs", "sha256", part.Digest.Hex))));
            await Tool.SucceedAsync("skopeo", "copy", "--preserve-digests", $"oci:{folder}:{tag}", $"oci:{_desk.At("back-" + tag)}:any");
            Assert.Equal(bundle.ReleaseId, Bundle.Open(_desk.At("back-" + tag)).ReleaseId);
        }
        Assert.Equal(0, await PublishAsync(second, folder, "--json"));
        Assert.Equal(0, _desk.Json.GetProperty("sent").GetInt32());
    }

    [Fact]
    public async Task AFolderOfOthersAndAnUnsignedBundleAreRefused()
    {
        var bundle = await PrepareAsync();
        Directory.CreateDirectory(_desk.At("photos"));
        await File.WriteAllTextAsync(_desk.At("photos/cat.jpg"), "meow", TestContext.Current.CancellationToken);
        Assert.Equal(73, await PublishAsync(bundle, _desk.At("photos")));
        Assert.Equal(13, await _desk.RunAsync("publish", _desk.UnsignedBundle(3), _desk.At("served"), "--keys", _desk.Keys));
        Assert.False(Directory.Exists(_desk.At("served")));
    }

    [Theory]
    [InlineData("oci://registry.example/garments", "registry.example", "garments", null)]
    [InlineData("oci://registry.example:5000/a/b-c:1.4.0", "registry.example:5000", "a/b-c", "1.4.0")]
    [InlineData("oci://[::1]:5000/a", "[::1]:5000", "a", null)]
    public void AReferenceIsReadByTheSpecification(string text, string host, string repository, string? tag)
    {
        Assert.True(RegistryReference.TryParse(text, out var reference));
        Assert.Equal((host, repository, tag), (reference.Host, reference.Repository, reference.Tag));
    }

    [Theory]
    [InlineData("oci://registry.example/")]
    [InlineData("oci://registry.example/Upper")]
    [InlineData("oci://user:secret@registry.example/a")]
    [InlineData("oci://registry.example/a?b")]
    [InlineData("oci://registry.example/../a")]
    public void WhatTheSpecificationForbidsIsNoReference(string text) => Assert.False(RegistryReference.TryParse(text, out _));

    public void Dispose() => _desk.Dispose();

    private async Task RefusesThenTakesAsync(DockerRegistry registry)
    {
        var bundle = await PrepareAsync();
        var target = $"oci://{registry.Host}/garments";
        Assert.Equal(77, await PublishAsync(bundle, target));
        await File.WriteAllTextAsync(_desk.At("wrong"), "wrong\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_desk.At("right"), Password + "\n", TestContext.Current.CancellationToken);
        Assert.Equal(77, await PublishAsync(bundle, target, "--registry-user", User, "--registry-password-file", _desk.At("wrong")));
        Assert.Equal(0, await PublishAsync(bundle, target, "--registry-user", User, "--registry-password-file", _desk.At("right")));
        Assert.DoesNotContain(Password, _desk.Everything, StringComparison.Ordinal);
    }

    private async Task<Bundle> PrepareAsync()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        return await _desk.SignedBundleAsync();
    }

    private Task<int> PublishAsync(Bundle bundle, string target, params string[] arguments) =>
        _desk.RunAsync(["publish", bundle.Path, target, "--keys", _desk.Keys, .. arguments]);
}
