using System.CommandLine;
using System.Globalization;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Pushing;
using Dunlin.Fleet.Serving;
using Dunlin.Fleet.Signing;

namespace Dunlin.Fleet.Publishing;

/// <summary><c>dunlin-fleet publish</c>: a bundle to where boards can fetch it.</summary>
internal static class PublishCommand
{
    public static Command Create()
    {
        var bundle = new Argument<DirectoryInfo>("BUNDLE") { Description = "A signed bundle." };
        var target = new Argument<string>("TARGET") { Description = "oci://host[:port]/repository[:tag], a folder for a web server, or mqtt for boards that reach only the broker." };
        var keys = SignCommand.KeysOption();
        var state = new Option<DirectoryInfo?>("--state") { Description = "The folder of the fleet's database; default: the folder 'state' of --keys." };
        var tag = new Option<string?>("--tag") { Description = "The tag; default: the bundle's label." };
        var url = new Option<string?>("--url") { Description = "For a folder: the URL under which boards see it; 'push' then knows it.", HelpName = "URL" };
        var plain = new Option<bool>("--plain-http") { Description = "Speak to the registry without TLS; on this machine that is the rule." };
        var user = new Option<string?>("--registry-user") { Description = "User name at the registry." };
        var password = new Option<FileInfo?>("--registry-password-file") { Description = "File whose first line is the password or token." };
        url.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } text && !(SourceText.TryParse(text, out var source) && source.Kind == SourceKind.Http)) result.AddError("--url must be an http:// or https:// URL without user, query and fragment.");
        });
        var command = new Command("publish", "Puts a signed bundle where boards can fetch it, blob by blob, and remembers where for 'push'.")
        {
            bundle, target, keys, state, tag, url, plain, user, password, Speaker.NewJsonOption(),
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(user) is null != result.GetValue(password) is null) result.AddError("--registry-user and --registry-password-file go together.");
        });
        command.SetAction(Failures.Reported((arguments, speaker, cancellationToken) =>
        {
            var folder = arguments.GetValue(keys)!.FullName;
            var setup = new FleetSetup(folder, arguments.GetValue(state)?.FullName ?? Path.Combine(folder, FleetSetup.StateFolder), new(), new Passphrase(null, _ => null), TimeProvider.System);
            var access = new RegistryAccess(arguments.GetValue(plain), arguments.GetValue(user), arguments.GetValue(password)?.FullName);
            return RunAsync(setup, arguments.GetValue(bundle)!.FullName, arguments.GetValue(target)!, arguments.GetValue(tag), arguments.GetValue(url), access, speaker, cancellationToken);
        }));
        return command;
    }

    internal static async Task<int> RunAsync(
        FleetSetup setup, string path, string target, string? tag, string? url, RegistryAccess access, Speaker speaker, CancellationToken cancellationToken)
    {
        var root = setup.OpenKeys().Root;
        var bundle = Bundle.Open(path);
        ReleaseChoice.RequireSigned(bundle, root);
        using var ledger = setup.OpenLedger();
        var release = KnownRelease.Of(bundle);
        var now = setup.Time.GetUtcNow();
        ledger.Add(release, now);
        if (ledger.Release(release.Id) is { Revoked: { } revoked })
            throw new FleetException(ExitCodes.InputMissing, $"'{release.Title}' ({release.Id}) was revoked at {revoked:u}; publish another release.");
        var (sent, present, source) = await SendAsync(setup, ledger, bundle, target, tag, url, access, cancellationToken);
        if (source is not null) ledger.AddSource(release.Id, source, now);
        var report = new PublishReport(release.Title, release.Id, BlobFile.Describe(release.Envelope).Digest, source is null ? Path.GetFullPath(target) : SourceText.Write(source), sent, present);
        speaker.Say(report, FleetJson.Default.PublishReport, report.ToText() + (source is null ? " Say --url, or 'push --source URL', for boards to find it." : ""));
        return ExitCodes.Ok;
    }

    private static async Task<(int Sent, int Present, ArtifactSource? Source)> SendAsync(
        FleetSetup setup, Ledger ledger, Bundle bundle, string target, string? tag, string? url, RegistryAccess access, CancellationToken cancellationToken)
    {
        var label = bundle.Manifest.Label;
        if (target == "mqtt")
        {
            var blobs = new PublishedBlobs(setup.State).Add(bundle);
            ledger.AddBlobs(bundle.ReleaseId, blobs);
            return (blobs.Count, 0, new ArtifactSource { Kind = SourceKind.Mqtt });
        }

        if (!target.StartsWith(RegistryReference.Scheme, StringComparison.Ordinal))
        {
            if (target.Contains("://", StringComparison.Ordinal))
                throw new FleetException(ExitCodes.InputMissing, $"'{target}' cannot be published to; name oci://host[:port]/repository[:tag], a folder, or mqtt.");
            var (copied, there) = LayoutFolder.Add(Path.GetFullPath(target), bundle, tag ?? $"{bundle.Manifest.Name}-{label}");
            return (copied, there, SourceText.TryParse(url, out var served) ? served : null);
        }

        if (!RegistryReference.TryParse(target, out var registry))
            throw new FleetException(ExitCodes.InputMissing, $"'{target}' is no registry reference; write oci://host[:port]/repository[:tag] in lower case.");
        using var client = new RegistryClient(registry, access.IsPlain || registry.IsLoopback, access.User, access.ReadPassword());
        var (uploaded, present) = await client.PushAsync(bundle, tag ?? registry.Tag ?? label, cancellationToken);
        return (uploaded, present, new ArtifactSource { Kind = SourceKind.Oci, Location = registry.Location });
    }
}

/// <summary>How to get into a registry.</summary>
internal sealed record RegistryAccess(bool IsPlain = false, string? User = null, string? PasswordFile = null)
{
    public string? ReadPassword() => PasswordFile is null ? null : File.ReadLines(PasswordFile).FirstOrDefault() ?? "";
}

/// <param name="Title">Name and label.</param>
/// <param name="Release">Its id.</param>
/// <param name="Signature">Digest of its envelope, which devices fetch first.</param>
/// <param name="Where">Source for directives, or the folder.</param>
/// <param name="Sent">Blobs that were sent.</param>
/// <param name="Present">Blobs that were there.</param>
internal sealed record PublishReport(string Title, Digest Release, Digest Signature, string Where, int Sent, int Present)
{
    public string ToText() => string.Create(CultureInfo.InvariantCulture, $"'{Title}', release {Release}, is at {Where}: {Sent} blobs sent, {Present} were there.");
}
