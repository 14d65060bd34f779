using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Updates.Fetching;
using Dunlin.TestKit;
using Dunlin.TestKit.Registries;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Servers;

namespace Dunlin.Agent.Tests.Updates.Fetching;

public sealed class RegistryFetchTests
{
    private const string Password = "hunter2-of-the-press";
    private readonly SampleBlob _blob = new(3_000_000);

    [Fact]
    public async Task AnOpenRegistryServesByDigest()
    {
        await using var registry = await StartAsync();
        using var setup = new FetchSetup();
        await setup.SucceedAsync(_blob, FetchSetup.Oci(registry.Host));
        Assert.Equal(FetchCodes.NotFound, (await setup.FetchAsync(new SampleBlob(1000, 2), FetchSetup.Oci(registry.Host))).Code);
    }

    [Fact]
    public async Task BasicCredentialsAreShownWhenAskedFor()
    {
        await using var registry = await StartAsync();
        await registry.RequireUserAsync("board", Password);

        using var without = new FetchSetup();
        var refused = await without.FetchAsync(_blob, FetchSetup.Oci(registry.Host));
        Assert.Equal(FetchCodes.Unauthorized, refused.Code);
        Assert.Contains("add its host to Updates:Credentials", refused.Detail, StringComparison.Ordinal);

        using var wrong = new FetchSetup(With(registry.Host, "board", "nonsense"));
        Assert.Contains("check Updates:Credentials", (await wrong.FetchAsync(_blob, FetchSetup.Oci(registry.Host))).Detail, StringComparison.Ordinal);

        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "password");
        await File.WriteAllTextAsync(file, Password + "\n", TestContext.Current.CancellationToken);
        using var right = new FetchSetup(new UpdateOptions { Credentials = [new HostCredential { Host = registry.Host, UserName = "board", PasswordFile = file }] });
        await right.SucceedAsync(_blob, FetchSetup.Oci(registry.Host));
    }

    [Fact]
    public async Task ABearerTokenIsGotFromTheRealmForPullingOnly()
    {
        await using var registry = await StartAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var certificate = MakeCertificate(key);
        await using var tokens = new ScriptedServer(async (request, stream, cancellationToken) =>
        {
            var isKnown = request.Headers.GetValueOrDefault("Authorization") == "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"board:{Password}"));
            var body = isKnown ? $$"""{"token":"{{Token(key, certificate)}}"}""" : "{}";
            await ScriptedServer.HeadAsync(stream, $"{(isKnown ? "200 OK" : "401 Unauthorized")}\r\nContent-Length: {body.Length}", cancellationToken);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(body), cancellationToken);
        });
        await registry.RequireTokenAsync(new Uri($"{tokens.Address}/token"), "press-registry", "press-tokens", certificate.ExportCertificatePem());

        using var stranger = new FetchSetup();
        var refused = await stranger.FetchAsync(_blob, FetchSetup.Oci(registry.Host));
        Assert.Equal(FetchCodes.Unauthorized, refused.Code);
        Assert.Contains($"add {tokens.Host} to Updates:Credentials", refused.Detail, StringComparison.Ordinal);

        using var setup = new FetchSetup(With(tokens.Host, "board", Password));
        await setup.SucceedAsync(_blob, FetchSetup.Oci(registry.Host));
        Assert.All(tokens.Requests, request => Assert.Equal("/token?service=press-registry&scope=repository%3Agarments%3Apull", request.Path));

        using var elsewhere = new FetchSetup(new UpdateOptions { AllowedHosts = [registry.Host] });
        Assert.Equal(FetchCodes.HostNotAllowed, (await elsewhere.FetchAsync(_blob, FetchSetup.Oci(registry.Host))).Code);
    }

    [Theory]
    [InlineData("TokenFile of Updates:Credentials")]
    [InlineData("PasswordFile of Updates:Credentials")]
    [InlineData("Updates:ArtifactCaFile")]
    public async Task AFileOfTheConfigurationThatCannotBeReadEndsTheFetchAtOnceAndIsNamed(string key)
    {
        await using var server = new ScriptedServer((_, stream, cancellationToken) =>
            ScriptedServer.HeadAsync(stream, "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"press\"\r\nContent-Length: 0", cancellationToken));
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "renamed");
        var options = key switch
        {
            "Updates:ArtifactCaFile" => new UpdateOptions { ArtifactCaFile = file },
            "TokenFile of Updates:Credentials" => new UpdateOptions { Credentials = [new HostCredential { Host = server.Host, TokenFile = file }] },
            _ => new UpdateOptions { Credentials = [new HostCredential { Host = server.Host, UserName = "board", PasswordFile = file }] },
        };
        using var setup = new FetchSetup(options);
        foreach (var content in (string?[])[null, ""])
        {
            if (content is not null) await File.WriteAllTextAsync(file, content, TestContext.Current.CancellationToken);
            // An authority's file without certificates is none that cannot be read.
            if (content is not null && options.Credentials.Count == 0) continue;
            var result = await setup.FetchAsync(_blob, FetchSetup.Http(server.Address));
            Assert.Equal(FetchCodes.Unauthorized, result.Code);
            Assert.Contains(key, result.Detail, StringComparison.Ordinal);
            Assert.Contains($"'{file}' cannot be used", result.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ATokenThatIsRenewedDuringTheFetchIsReadAgain()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "token");
        await File.WriteAllTextAsync(file, "old\n", TestContext.Current.CancellationToken);
        var valid = "Bearer old";
        await using var server = new ScriptedServer(async (request, stream, cancellationToken) =>
        {
            if (request.Headers.GetValueOrDefault("Authorization") != valid)
            {
                await ScriptedServer.HeadAsync(stream, "401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0", cancellationToken);
                return;
            }

            var (first, last) = request.Range!.Value;
            await ScriptedServer.HeadAsync(stream, $"206 Partial Content\r\nContent-Range: bytes {first}-{last}/{_blob.Content.Length}\r\nContent-Length: {last - first + 1}", cancellationToken);
            await stream.WriteAsync(_blob.Content.AsMemory((int)first..((int)last + 1))[..(valid == "Bearer old" ? (Index)200_000 : ^0)], cancellationToken);
            if (valid == "Bearer new") return;
            await File.WriteAllTextAsync(file, "new\n", cancellationToken);
            valid = "Bearer new";
        });
        var options = new UpdateOptions { Credentials = [new HostCredential { Host = server.Host, TokenFile = file }] };
        using var setup = new FetchSetup(options);
        await setup.SucceedAsync(_blob, FetchSetup.Http(server.Address));
        Assert.Equal(["Bearer old", "Bearer old", "Bearer new"], server.Requests.Select(request => request.Headers["Authorization"]));

        valid = "Bearer of another";
        using var refused = new FetchSetup(options);
        var result = await refused.FetchAsync(_blob, FetchSetup.Http(server.Address));
        Assert.Equal(FetchCodes.Unauthorized, result.Code);
        Assert.Contains("renew it", result.Detail, StringComparison.Ordinal);
        Assert.Equal(4, server.Requests.Count);
    }

    [Fact]
    public async Task CredentialsNeverFollowARedirectOrARealmToAnotherHost()
    {
        await using var store = ScriptedServer.Serving(_blob.Content);
        await using var tokens = new ScriptedServer(async (_, stream, cancellationToken) =>
        {
            await ScriptedServer.HeadAsync(stream, "200 OK", cancellationToken);
            await stream.WriteAsync("""{"access_token":"pass-1"}"""u8.ToArray(), cancellationToken);
        });
        await using var registry = new ScriptedServer(async (request, stream, cancellationToken) => await ScriptedServer.HeadAsync(stream,
            request.Headers.GetValueOrDefault("Authorization") == "Bearer pass-1"
                ? $"307 Temporary Redirect\r\nLocation: {store.Address}/signed?token=s3cret\r\nContent-Length: 0"
                : $"401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"{tokens.Address}/t\",service=\"s\",scope=\"repository:garments:pull,push\"\r\nContent-Length: 0", cancellationToken));
        using var setup = new FetchSetup(With(registry.Host, "board", Password));
        await setup.SucceedAsync(_blob, FetchSetup.Oci(registry.Host));
        Assert.All(store.Requests.Concat(tokens.Requests), request => Assert.DoesNotContain("Authorization", request.Headers.Keys));
        Assert.NotEmpty(store.Requests);

        using var strict = new FetchSetup(new UpdateOptions { AllowedHosts = [registry.Host, tokens.Host] });
        var refused = await strict.FetchAsync(_blob, FetchSetup.Oci(registry.Host));
        Assert.Equal(FetchCodes.HostNotAllowed, refused.Code);
        Assert.Contains($"'{store.Host}'", refused.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", refused.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"token\":\"\\ud800\"}")]
    [InlineData("{\"token\":\"\u00ff\"}")]
    [InlineData("{\"token\":1}")]
    [InlineData("no JSON")]
    public async Task AnAnswerWithoutATokenThatIsTextIsTheServersFault(string answer)
    {
        await using var tokens = new ScriptedServer(async (_, stream, cancellationToken) =>
        {
            await ScriptedServer.HeadAsync(stream, "200 OK", cancellationToken);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(answer), cancellationToken);
        });
        await using var registry = new ScriptedServer(async (_, stream, cancellationToken) =>
            await ScriptedServer.HeadAsync(stream, $"401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"{tokens.Address}/t\"\r\nContent-Length: 0", cancellationToken));
        using var setup = new FetchSetup();
        var result = await setup.FetchAsync(_blob, FetchSetup.Oci(registry.Host));
        Assert.Equal(FetchCodes.SourcesExhausted, result.Code);
        Assert.Contains($"{tokens.Host} answers without a token", result.Detail, StringComparison.Ordinal);
    }

    private async Task<DockerRegistry> StartAsync()
    {
        var registry = await DockerRegistry.StartAsync();
        await registry.PushAsync("garments", _blob.Blob.Digest.ToString(), _blob.Content);
        return registry;
    }

    internal static UpdateOptions With(string host, string user, string password) =>
        new() { Credentials = [new HostCredential { Host = host, UserName = user, Password = password }] };

    private static X509Certificate2 MakeCertificate(ECDsa key)
    {
        var now = TimeProvider.System.GetUtcNow();
        var request = new CertificateRequest("CN=press tokens", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    /// <summary>A token as docker-registry wants it: JWT, ES256, the certificate along with it.</summary>
    private static string Token(ECDsa key, X509Certificate2 certificate)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var head = Base64Url($$"""{"typ":"JWT","alg":"ES256","x5c":["{{Convert.ToBase64String(certificate.RawData)}}"]}""");
        var body = Base64Url(string.Create(CultureInfo.InvariantCulture, $$"""
            {"iss":"press-tokens","sub":"board","aud":"press-registry","exp":{{now + 300}},"nbf":{{now - 10}},"iat":{{now}},"jti":"1",
            "access":[{"type":"repository","name":"garments","actions":["pull"]}]}
            """));
        return $"{head}.{body}.{Base64Url(key.SignData(Encoding.ASCII.GetBytes($"{head}.{body}"), HashAlgorithmName.SHA256))}";
    }

    private static string Base64Url(string text) => Base64Url(Encoding.UTF8.GetBytes(text));

    private static string Base64Url(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
}
