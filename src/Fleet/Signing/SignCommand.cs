using System.CommandLine;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Fleet.Signing;

/// <summary><c>dunlin-fleet sign</c>: the release key's signature into a bundle.</summary>
internal static class SignCommand
{
    public static Command Create()
    {
        var bundle = new Argument<DirectoryInfo>("BUNDLE") { Description = "The bundle, an OCI layout directory; its signature is added or replaced." };
        var keys = new Option<DirectoryInfo>("--keys") { Description = "The folder that 'keys init' made.", Required = true };
        var command = new Command("sign", "Signs a bundle as a release; its release id stays the same.") { bundle, keys };
        command.SetAction(parsed => Run(parsed.GetValue(bundle)!.FullName, parsed.GetValue(keys)!.FullName, Console.Out, Console.Error));
        return command;
    }

    internal static int Run(string path, string keys, TextWriter output, TextWriter errors)
    {
        try
        {
            using var key = KeyFolder.ReadKey(keys, KeyFolder.ReleaseKey);
            var bundle = Bundle.Open(path);
            bundle = bundle.WithSignature(key.Sign(MediaTypes.Manifest, bundle.ManifestBytes));
            output.WriteLine($"{path}: '{bundle.Manifest.Name} {bundle.Manifest.Label}', release {bundle.ReleaseId}, signed by key {key.KeyId[..12]}…");
            return ExitCodes.Ok;
        }
        catch (Exception e) when (e is BundleException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            errors.WriteLine($"dunlin-fleet: {e.Message}");
            return ExitCodes.InputMissing;
        }
    }
}
