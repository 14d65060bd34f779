using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Waiting;

namespace Dunlin.TestKit.Registries;

/// <summary>Debian's <c>docker-registry</c> on a free loopback port, with a folder of its own.</summary>
public sealed class DockerRegistry : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-registry-").FullName;
    private readonly Process _process;

    private DockerRegistry(string authentication, string? file, string? content)
    {
        Port = MosquittoBroker.FreePort();
        if (file is not null) File.WriteAllText(Path.Combine(_folder, file), content);
        var configuration = Path.Combine(_folder, "registry.yml");
        File.WriteAllText(configuration, $$$"""
            version: 0.1
            log: {level: error}
            storage: {filesystem: {rootdirectory: {{{_folder}}}/data}}
            http: {addr: '127.0.0.1:{{{Port}}}'}
            {{{authentication.Replace("FOLDER", _folder, StringComparison.Ordinal)}}}
            """);
        _process = Process.Start(new ProcessStartInfo("docker-registry", ["serve", configuration]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Port { get; }

    /// <summary><c>127.0.0.1:port</c>.</summary>
    public string Host => $"127.0.0.1:{Port}";

    /// <summary>Everybody may pull and push; skips the test where the registry is not installed.</summary>
    public static Task<DockerRegistry> StartAsync() => StartAsync("", null, null);

    /// <summary>Only this user may, by Basic authentication.</summary>
    public static async Task<DockerRegistry> StartAsync(string user, string password)
    {
        Tool.SkipUnlessInstalled("docker-registry", "htpasswd");
        var line = await Tool.SucceedAsync("htpasswd", "-nbB", user, password);
        return await StartAsync("auth: {htpasswd: {realm: test, path: FOLDER/htpasswd}}", "htpasswd", line.Trim() + "\n");
    }

    /// <summary>Tokens of a realm, signed by a key in a certificate bundle.</summary>
    public static Task<DockerRegistry> StartAsync(Uri realm, string service, string issuer, string certificatePem) =>
        StartAsync($"auth: {{token: {{realm: '{realm}', service: '{service}', issuer: '{issuer}', rootcertbundle: FOLDER/issuer.pem}}}}", "issuer.pem", certificatePem);

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<DockerRegistry> StartAsync(string authentication, string? file, string? content)
    {
        Tool.SkipUnlessInstalled("docker-registry");
        var registry = new DockerRegistry(authentication, file, content);
        await Eventually.TrueAsync(registry.ListensAsync, "docker-registry listens");
        return registry;
    }

    private async Task<bool> ListensAsync()
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
