using System.CommandLine;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Fleet.Signing;

/// <summary><c>dunlin-fleet sign</c>: the release keys' signatures into a bundle.</summary>
internal static class SignCommand
{
    public static Command Create()
    {
        var bundle = new Argument<DirectoryInfo>("BUNDLE") { Description = "The bundle, an OCI layout directory; signatures that it has already stay." };
        var keys = KeysOption();
        var key = KeyOption();
        var command = new Command("sign", "Signs a bundle as a release with every release key at hand; its release id stays the same. Sign again elsewhere to add more.")
        {
            bundle, keys, key, Passphrase.NewOption(), Speaker.NewJsonOption(),
        };
        command.SetAction(Failures.Reported((arguments, speaker) =>
            Run(arguments.GetValue(bundle)!.FullName, arguments.GetValue(keys)!.FullName, [.. arguments.GetValue(key)!.Select(file => file.FullName)], Passphrase.Of(arguments), speaker)));
        return command;
    }

    internal static Option<DirectoryInfo> KeysOption() => new("--keys") { Description = "The folder that 'keys init' made, with root.json.", Required = true };

    internal static Option<FileInfo[]> KeyOption() =>
        new("--key") { Description = "A private key that lies elsewhere; may be given several times.", DefaultValueFactory = _ => [], HelpName = "FILE" };

    internal static int Run(string path, string keys, IReadOnlyList<string> others, Passphrase passphrase, Speaker speaker)
    {
        var folder = KeyFolder.Open(keys);
        using var ring = folder.Unlock(SigningRole.Release, passphrase, others);
        var bundle = Bundle.Open(path);
        bundle = bundle.WithSignature(bundle.Signature is { } present ? ring.AddTo(present) : ring.Sign(MediaTypes.Manifest, bundle.ManifestBytes));
        var role = folder.Root.Roles.Release;
        var signers = bundle.Signature!.Signatures.Select(signature => signature.KeyId).Intersect(role.KeyIds).OfType<string>().ToList();
        var isComplete = EnvelopeVerifier.Verify(bundle.Signature, SigningRole.Release, folder.Root).IsAccepted;
        var report = new SignReport(bundle.Path, $"{bundle.Manifest.Name} {bundle.Manifest.Label}", bundle.ReleaseId, signers, role.Threshold, isComplete);
        speaker.Say(report, FleetJson.Default.SignReport, report.ToText());
        return isComplete ? ExitCodes.Ok : ExitCodes.BelowThreshold;
    }
}

/// <param name="Bundle">The layout's folder.</param>
/// <param name="Title">Name and label.</param>
/// <param name="Release">The release id.</param>
/// <param name="Signers">Ids of the root's release keys that have signed, now or earlier.</param>
/// <param name="Threshold">How many must.</param>
/// <param name="IsComplete">Devices accept it.</param>
internal sealed record SignReport(string Bundle, string Title, Digest Release, IReadOnlyList<string> Signers, int Threshold, bool IsComplete)
{
    public string ToText() => $"{Bundle}: '{Title}', release {Release}, signed by {string.Join(", ", Signers.Select(id => id[..12] + "…"))}: {Signers.Count} of {Threshold} needed{(IsComplete ? "" : "; sign it again with another release key, devices refuse it as it is")}.";
}
