using System.Diagnostics;
using System.Text;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Servers;
using Dunlin.TestKit.Waiting;
using Xunit;

namespace Dunlin.TestKit.Brokers;

/// <summary>
/// Debian's Mosquitto on a free loopback port, with a folder of its own. Killing, freezing and restarting keep the port.
/// </summary>
public sealed class MosquittoBroker : IAsyncDisposable
{
    private const string Executable = "/usr/sbin/mosquitto";
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-mosquitto-").FullName;
    private readonly MosquittoSettings _settings;
    private string _earlier = "";
    private RunningProgram? _process;

    private MosquittoBroker(MosquittoSettings settings)
    {
        _settings = settings;
        Port = Ports.Free();
    }

    public static bool IsInstalled => File.Exists(Executable);

    /// <summary><c>localhost</c>, which the server certificate of <see cref="TestPki"/> is for.</summary>
    public string Host { get; } = "localhost";

    public int Port { get; }

    /// <summary><c>host:port</c>.</summary>
    public string Address => $"{Host}:{Port}";

    public int ProcessId => _process?.Id ?? throw new InvalidOperationException("The broker does not run.");

    /// <summary>What the broker has written so far.</summary>
    public string Log => _earlier + _process?.Log;

    /// <summary>Starts a broker and waits until it takes connections; skips the test where Mosquitto is not installed.</summary>
    public static async Task<MosquittoBroker> StartAsync(MosquittoSettings? settings = null)
    {
        var broker = Prepare(settings);
        await broker.StartAgainAsync();
        return broker;
    }

    /// <summary>A broker with a port that nobody listens on yet; <see cref="StartAgainAsync"/> starts it.</summary>
    public static MosquittoBroker Prepare(MosquittoSettings? settings = null)
    {
        if (!IsInstalled) Assert.Skip($"{Executable} is absent; install Debian's mosquitto.");
        var broker = new MosquittoBroker(settings ?? new MosquittoSettings());
        broker.WriteConfiguration();
        if (broker._settings.User != "root") Tool.Run("chown", "-R", broker._settings.User, broker._folder);
        return broker;
    }

    public async Task StartAgainAsync()
    {
        if (_process is not null) throw new InvalidOperationException("The broker runs already.");
        var process = new RunningProgram(new ProcessStartInfo(Executable, ["-c", Path.Combine(_folder, "mosquitto.conf"), .. _settings.LogsPackets ? ["-v"] : Array.Empty<string>()]));
        _process = process;
        await Eventually.TrueAsync(() => Runs(process), () => "Mosquitto runs: " + Log);
    }

    /// <summary>SIGTERM: says goodbye to its clients and saves its state.</summary>
    public Task StopAsync() => EndAsync("TERM");

    /// <summary>SIGKILL: connections break, nothing is saved.</summary>
    public Task KillAsync() => EndAsync("KILL");

    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAgainAsync();
    }

    /// <summary>SIGSTOP: connections stay open, nothing is answered.</summary>
    public void Freeze() => ProcessTable.Signal(ProcessId, "STOP");

    /// <summary>SIGCONT.</summary>
    public void Thaw() => ProcessTable.Signal(ProcessId, "CONT");

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await KillAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private void WriteConfiguration()
    {
        if (_settings.ConfigurationOf is { } whole)
        {
            File.WriteAllText(Path.Combine(_folder, "mosquitto.conf"), $"user {_settings.User}\nlog_dest stderr\npersistence_location {_folder}/\n{whole(Port)}");
            return;
        }

        var text = new StringBuilder($"""
            user {_settings.User}
            listener {Port} localhost
            allow_anonymous {(_settings.Passwords is null && _settings.Pki is null ? "true" : "false")}
            log_dest stderr
            set_tcp_nodelay true
            persistence {(_settings.Persistent ? "true" : "false")}
            persistence_location {_folder}/
            autosave_interval 1
            autosave_on_changes true

            """);
        if (_settings.Passwords is { } passwords)
        {
            File.WriteAllLines(Path.Combine(_folder, "passwords"), passwords.Select(p => $"{p.Key}:{p.Value}"));
            Tool.Run("mosquitto_passwd", "-U", Path.Combine(_folder, "passwords"));
            text.AppendLine($"password_file {_folder}/passwords");
        }

        if (_settings.Pki is { } pki)
        {
            text.AppendLine($"cafile {pki.CaFile}").AppendLine($"certfile {pki.ServerCertificateFile}")
                .AppendLine($"keyfile {pki.ServerKeyFile}").AppendLine("require_certificate true")
                .AppendLine("use_identity_as_username true").AppendLine($"crlfile {pki.ClientCrlFile}");
        }

        if (_settings.Acl is { } acl)
        {
            File.WriteAllText(Path.Combine(_folder, "acl"), acl);
            text.AppendLine($"acl_file {_folder}/acl");
        }

        File.WriteAllText(Path.Combine(_folder, "mosquitto.conf"), text.AppendLine(_settings.Extra).ToString());
    }

    // In its own words: whoever answers at its port might be somebody else.
    private static bool Runs(RunningProgram process)
    {
        if (process.HasExited) Assert.Fail("Mosquitto ended at once: " + process.Log);
        return process.Log.Contains(" running", StringComparison.Ordinal);
    }

    private async Task EndAsync(string signal)
    {
        if (_process is not { } process) return;
        process.Signal("CONT");
        process.Signal(signal);
        Assert.True(await process.EndsAsync(Eventually.Patience), $"SIG{signal} ends Mosquitto: {Log}");
        await process.DisposeAsync();
        (_earlier, _process) = ($"{Log}\n", null);
    }
}
