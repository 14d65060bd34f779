using System.Diagnostics;
using System.Net.Sockets;

namespace Dunlin.Torture.Updates;

/// <summary>nginx over a folder of bundles, on loopback.</summary>
internal sealed class Shelf : IAsyncDisposable
{
    private readonly Process _nginx;

    private Shelf(Process nginx) => _nginx = nginx;

    public static async Task<Shelf> StartAsync(string folder, int port, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var own = Directory.CreateTempSubdirectory("dunlin-shelf-").FullName;
        await File.WriteAllTextAsync(Path.Combine(own, "nginx.conf"), $$"""
            daemon off; master_process off; user root; pid {{own}}/pid; error_log stderr warn;
            events { worker_connections 64; }
            http {
              access_log off; client_body_temp_path {{own}}/b; proxy_temp_path {{own}}/p; fastcgi_temp_path {{own}}/f; uwsgi_temp_path {{own}}/u; scgi_temp_path {{own}}/s;
              server { listen 127.0.0.1:{{port}}; root {{folder}}; }
            }
            """, cancellationToken);
        var nginx = Process.Start(new ProcessStartInfo("nginx", ["-c", Path.Combine(own, "nginx.conf"), "-p", own]))!;
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", port, cancellationToken);
                return new Shelf(nginx);
            }
            catch (SocketException) when (attempt < 100 && !nginx.HasExited)
            {
                await Task.Delay(50, cancellationToken);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _nginx.Kill();
        await _nginx.WaitForExitAsync();
        _nginx.Dispose();
    }
}
