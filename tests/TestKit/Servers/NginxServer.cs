using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;

namespace Dunlin.TestKit.Servers;

/// <summary>Debian's nginx with a configuration of its own, serving a folder on a loopback port; skips the test where it is not installed.</summary>
public sealed class NginxServer : IAsyncDisposable
{
    private readonly string _folder;
    private readonly RunningProgram _process;

    private NginxServer(string folder, string root, int port, bool isTls, RunningProgram process) => (_folder, Root, Port, IsTls, _process) = (folder, root, port, isTls, process);

    public int Port { get; }

    public bool IsTls { get; }

    /// <summary>The folder that is served.</summary>
    public string Root { get; }

    /// <summary>With the host that the certificate of <see cref="TestPki"/> is for.</summary>
    public string Address => $"{(IsTls ? "https" : "http")}://localhost:{Port}";

    /// <summary>Serves a folder of its own on a free port.</summary>
    /// <param name="certificate">Null: plain HTTP.</param>
    /// <param name="extra">More lines for the server block.</param>
    public static Task<NginxServer> StartAsync(CertificateFiles? certificate = null, string extra = "") => StartAsync(null, Ports.Free(), certificate, extra);

    /// <summary>Serves a folder that stays when the server goes.</summary>
    public static Task<NginxServer> StartAsync(string root, int port) => StartAsync(root, port, null, "");

    private static async Task<NginxServer> StartAsync(string? given, int port, CertificateFiles? certificate, string extra)
    {
        Tool.SkipUnlessInstalled("nginx");
        var folder = Directory.CreateTempSubdirectory("dunlin-nginx-").FullName;
        var root = Directory.CreateDirectory(given ?? Path.Combine(folder, "root")).FullName;
        var tls = certificate is null ? "" : $"ssl_certificate {certificate.Certificate}; ssl_certificate_key {certificate.Key};";
        await File.WriteAllTextAsync(Path.Combine(folder, "nginx.conf"), $$"""
            daemon off;
            worker_processes 1;
            pid {{folder}}/nginx.pid;
            error_log stderr error;
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            events { worker_connections 64; }
            http {
              access_log {{folder}}/access.log;
              client_body_temp_path {{folder}}/body; proxy_temp_path {{folder}}/proxy; fastcgi_temp_path {{folder}}/fastcgi;
              uwsgi_temp_path {{folder}}/uwsgi; scgi_temp_path {{folder}}/scgi;
              sendfile on;
              server {
                listen 127.0.0.1:{{port}} {{(certificate is null ? "" : "ssl")}};
                root {{root}};
                {{tls}}
                {{extra}}
              }
            }
            """);
        return new NginxServer(folder, root, port, certificate is not null, await ServerProcess.StartAsync("/usr/sbin/nginx", port, "-p", folder, "-c", Path.Combine(folder, "nginx.conf")));
    }

    /// <summary>Puts a blob where an OCI layout directory has it.</summary>
    /// <returns>The file.</returns>
    public string Put(string hex, byte[] content)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Root, "blobs", "sha256")).FullName;
        var path = Path.Combine(folder, hex);
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>The log of requests.</summary>
    public string[] AccessLog() => File.ReadAllLines(Path.Combine(_folder, "access.log"));

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
