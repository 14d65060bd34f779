using System.ComponentModel;
using System.Diagnostics;
using Dunlin.Agent.Configuration;

namespace Dunlin.Agent.Commands;

/// <summary>What root can read and the package's service cannot: it runs as a user of its own, and its unit hides some folders.</summary>
internal static class ServiceReach
{
    private const string ServiceAccount = "dunlin";
    private const int Unreadable = 3;

    /// <summary>By the unit's ProtectHome and PrivateTmp.</summary>
    private static readonly string[] HiddenFolders = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];

    /// <summary>Sentences about the configuration's files. None where the service is not installed, or somebody else than root asks.</summary>
    public static async Task<IReadOnlyList<string>> ComplaintsAsync(AgentOptions options, CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess || !File.ReadLines("/etc/passwd").Any(line => line.StartsWith($"{ServiceAccount}:", StringComparison.Ordinal))) return [];
        var complaints = new List<string>();
        foreach (var (key, path) in FilesOf(options))
        {
            if (!Path.Exists(path)) continue;
            if (HiddenFolderOf(path) is { } hidden) complaints.Add($"{key} '{path}' is below {hidden}, which is hidden from the service; move it, for example to /srv.");
            else if (!await IsReadableAsync(path, ServiceAccount, cancellationToken))
                complaints.Add($"{key} '{path}' cannot be read by the service's user '{ServiceAccount}'; chgrp it to '{ServiceAccount}' and chmod it to 640 (folders: 750).");
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

    private static IEnumerable<(string Key, string Path)> FilesOf(AgentOptions options)
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
