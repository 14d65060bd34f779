using System.Net.Http.Headers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Servers;

namespace Dunlin.TestKit.Registries;

/// <summary>Debian's <c>docker-registry</c> on a free loopback port, with a folder of its own.</summary>
public sealed class DockerRegistry : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-registry-").FullName;
    private RunningProgram? _process;

    private DockerRegistry()
    {
    }

    public int Port { get; } = Ports.Free();

    /// <summary><c>127.0.0.1:port</c>.</summary>
    public string Host => $"127.0.0.1:{Port}";

    /// <summary>Everybody may pull and push; skips the test where the registry is not installed.</summary>
    public static async Task<DockerRegistry> StartAsync()
    {
        Tool.SkipUnlessInstalled("docker-registry");
        var registry = new DockerRegistry();
        await registry.RestartAsync("");
        return registry;
    }

    /// <summary>Only this user may, by Basic authentication.</summary>
    public static async Task<DockerRegistry> StartAsync(string user, string password)
    {
        var registry = await StartAsync();
        await registry.RequireUserAsync(user, password);
        return registry;
    }

    /// <summary>Tokens of a realm, signed by a key in a certificate bundle.</summary>
    public static async Task<DockerRegistry> StartAsync(Uri realm, string service, string issuer, string certificatePem)
    {
        var registry = await StartAsync();
        await registry.RequireTokenAsync(realm, service, issuer, certificatePem);
        return registry;
    }

    /// <summary>From now on only this user may; what was pushed stays.</summary>
    public async Task RequireUserAsync(string user, string password)
    {
        Tool.SkipUnlessInstalled("htpasswd");
        var line = await Tool.SucceedAsync("htpasswd", "-nbB", user, password);
        await File.WriteAllTextAsync(Path.Combine(_folder, "htpasswd"), line.Trim() + "\n");
        await RestartAsync($"auth: {{htpasswd: {{realm: test, path: {_folder}/htpasswd}}}}");
    }

    /// <summary>From now on only a token of this realm opens it; what was pushed stays.</summary>
    public async Task RequireTokenAsync(Uri realm, string service, string issuer, string certificatePem)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "issuer.pem"), certificatePem);
        await RestartAsync($"auth: {{token: {{realm: '{realm}', service: '{service}', issuer: '{issuer}', rootcertbundle: {_folder}/issuer.pem}}}}");
    }

    /// <summary>From now on whoever reads a blob is sent to this storage, as by registries on S3; what was pushed stays.</summary>
    public Task RedirectAsync(Uri storage) => RestartAsync($"middleware: {{storage: [{{name: redirect, options: {{baseurl: '{storage}'}}}}]}}");

    /// <summary>Pushes a blob by the distribution specification, POST then PUT, while everybody may.</summary>
    /// <param name="repository">For example <c>garments</c>.</param>
    /// <param name="digest"><c>sha256:…</c>.</param>
    /// <param name="content">Its bytes.</param>
    public async Task PushAsync(string repository, string digest, byte[] content)
    {
        using var http = new HttpClient();
        using var begun = await http.PostAsync(new Uri($"http://{Host}/v2/{repository}/blobs/uploads/"), null);
        begun.EnsureSuccessStatusCode();
        var place = begun.Headers.Location!.ToString();
        using var body = new ByteArrayContent(content);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var put = await http.PutAsync(new Uri($"{place}{(place.Contains('?', StringComparison.Ordinal) ? '&' : '?')}digest={digest}"), body);
        put.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task RestartAsync(string more)
    {
        if (_process is not null) await _process.DisposeAsync();
        var configuration = Path.Combine(_folder, "registry.yml");
        await File.WriteAllTextAsync(configuration, $$$"""
            version: 0.1
            log: {level: error, accesslog: {disabled: true}}
            storage: {filesystem: {rootdirectory: {{{_folder}}}/data}}
            http: {addr: '127.0.0.1:{{{Port}}}'}
            {{{more}}}
            """);
        _process = await ServerProcess.StartAsync("docker-registry", Port, "serve", configuration);
    }
}
