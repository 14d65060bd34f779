using System.ComponentModel;
using System.Diagnostics;
using Dunlin.Agent.Configuration;
using Dunlin.Telemetry.Power;

namespace Dunlin.Agent.Commands;

/// <summary>What root can read and the package's service cannot: it runs as a user of its own, and its unit hides some folders.</summary>
internal static class ServiceReach
{
    private const string ServiceAccount = "dunlin";
    private const int Unreadable = 3;
    private const string RemedyOfFile = $"chgrp it to '{ServiceAccount}' and chmod it to 640 (folders: 750)";
    private const string RemedyOfBus = $"adduser {ServiceAccount} i2c, then systemctl restart dunlin-agent";
    private const string RemedyOfCounter = "the package's udev rule lets it: udevadm trigger --subsystem-match=powercap --action=change, then systemctl restart dunlin-agent";

    /// <summary>By the unit's ProtectHome and PrivateTmp.</summary>
    private static readonly string[] HiddenFolders = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];

    /// <summary>Sentences about the configuration's files and the meter's. None where the service is not installed, or somebody else than root asks.</summary>
    public static async Task<IReadOnlyList<string>> ComplaintsAsync(AgentOptions options, CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess || !File.ReadLines("/etc/passwd").Any(line => line.StartsWith($"{ServiceAccount}:", StringComparison.Ordinal))) return [];
        var complaints = new List<string>();
        foreach (var (key, path, remedy) in FilesOf(options))
        {
            if (!Path.Exists(path)) continue;
            if (HiddenFolderOf(path) is { } hidden) complaints.Add($"{key} '{path}' is below {hidden}, which is hidden from the service; move it, for example to /srv.");
            else if (!await IsReadableAsync(path, ServiceAccount, cancellationToken))
                complaints.Add($"{key} '{path}' cannot be read by the service's user '{ServiceAccount}'; {remedy}.");
        }

        return complaints;
    }

    /// <summary>Null if the service sees the path.</summary>
    internal static string? HiddenFolderOf(string path)
    {
        var file = new FileInfo(path);
        var full = file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        return HiddenFolders.FirstOrDefault(folder => full == folder || full.StartsWith(folder + "/", StringComparison.Ordinal));
    }

    /// <summary>Whether a user with a group of the same name can; true where that cannot be found out.</summary>
    internal static async Task<bool> IsReadableAsync(string path, string account, CancellationToken cancellationToken)
    {
        var look = $"[ -r \"$1\" ] && {{ [ ! -d \"$1\" ] || [ -x \"$1\" ]; }} || exit {Unreadable}";
        try
        {
            using var process = Process.Start(new ProcessStartInfo(
                "setpriv", ["--reuid", account, "--regid", account, "--init-groups", "--", "sh", "-c", look, "sh", path]) { RedirectStandardError = true })!;
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode != Unreadable;
        }
        catch (Win32Exception)
        {
            return true;
        }
    }

    internal static IEnumerable<(string Key, string Path, string Remedy)> FilesOf(AgentOptions options) =>
        [.. NamedFilesOf(options).Select(named => (named.Key, named.Path, RemedyOfFile)), .. MeterFilesOf(options.Power)];

    private static IEnumerable<(string Key, string Path, string Remedy)> MeterFilesOf(PowerOptions power)
    {
        var (meter, estimate, _) = PowerMeters.Discover(power, TimeProvider.System);
        using (meter)
        using (estimate)
            return [.. (meter?.GuardedFiles ?? []).Select(path => ("The meter's", path, path.StartsWith("/dev/", StringComparison.Ordinal) ? RemedyOfBus : RemedyOfCounter))];
    }

    private static IEnumerable<(string Key, string Path)> NamedFilesOf(AgentOptions options)
    {
        var (mqtt, updates) = (options.Mqtt, options.Updates);
        return ((string Key, string Path)[])
        [
            ("The configuration", AgentConfiguration.DefaultFile),
            ("Device:Bundle", options.Device.Bundle),
            ("Camera:Source", options.Camera.Source),
            ("Mqtt:CaFile", mqtt.CaFile),
            ("Mqtt:CrlFile", mqtt.CrlFile),
            ("Mqtt:CertificateFile", mqtt.CertificateFile),
            ("Mqtt:KeyFile", mqtt.KeyFile),
            ("Mqtt:PasswordFile", mqtt.PasswordFile),
            ("Updates:ArtifactCaFile", updates.ArtifactCaFile),
            .. updates.Credentials.SelectMany(credential => ((string, string)[])
                [("Updates:Credentials:PasswordFile", credential.PasswordFile), ("Updates:Credentials:TokenFile", credential.TokenFile)]),
        ];
    }
}
