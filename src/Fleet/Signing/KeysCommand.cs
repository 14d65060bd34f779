using System.CommandLine;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Enrolment;

namespace Dunlin.Fleet.Signing;

/// <summary><c>dunlin-fleet keys</c>: the keys of a fleet's roles and its root.</summary>
internal static class KeysCommand
{
    public static System.CommandLine.Command Create() => new("keys", "Makes the keys of a fleet, and shows them.") { CreateInit(), CreateShow() };

    private static System.CommandLine.Command CreateInit()
    {
        var folder = new Argument<DirectoryInfo>("DIR") { Description = "The folder to make; it must not exist, or be empty." };
        var fleet = new Option<string>("--fleet") { Description = "The fleet that the root is for.", DefaultValueFactory = _ => "default" };
        var days = new Option<int>("--days") { Description = "Days until the root expires.", DefaultValueFactory = _ => 3650 };
        var root = RoleOption("--root", "Root keys: how many must sign, of how many; 2/3 survives the loss and the theft of one.");
        var release = RoleOption("--release", "Release keys, likewise.");
        var directive = RoleOption("--directive", "Directive keys, likewise; these are online.");
        var fresh = new Option<bool>("--fresh-key") { Description = "Make a key of its own for the hourly beacon; else the directive keys sign it." };
        var protect = new Option<bool>("--protect") { Description = "Encrypt root and release keys, and the authority's, with a passphrase; --passphrase-file implies it." };
        var protectOnline = new Option<bool>("--protect-online") { Description = "Encrypt directive and fresh keys too; 'serve' then needs the passphrase at each start." };
        fleet.Validators.Add(result =>
        {
            if (!DeviceName.IsValid(result.GetValueOrDefault<string>())) result.AddError($"--fleet must match {DeviceName.Rule}.");
        });
        days.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 36_500) result.AddError("--days must be 1 to 36500.");
        });
        var command = new System.CommandLine.Command("init", "Makes a key for each role, and the first root, signed. Whoever has the keys decides what the fleet runs.")
        {
            folder, fleet, days, root, release, directive, fresh, protect, protectOnline, Passphrase.NewOption(), Speaker.NewJsonOption(),
        };
        command.SetAction(Failures.Reported((arguments, speaker) =>
        {
            var passphrase = Passphrase.Of(arguments);
            var isProtected = arguments.GetValue(protect) || arguments.GetValue(protectOnline) || passphrase.IsGiven;
            var plan = new KeyPlan
            {
                Fleet = arguments.GetValue(fleet)!,
                Validity = TimeSpan.FromDays(arguments.GetValue(days)),
                Root = Size(arguments.GetValue(root)),
                Release = Size(arguments.GetValue(release)),
                Directive = Size(arguments.GetValue(directive)),
                HasFreshKey = arguments.GetValue(fresh),
                Passphrase = isProtected ? passphrase.Get("the new keys") : null,
                IsOnlineProtected = arguments.GetValue(protectOnline),
            };
            return Init(arguments.GetValue(folder)!.FullName, plan, TimeProvider.System, passphrase, speaker);
        }));
        return command;
    }

    private static System.CommandLine.Command CreateShow()
    {
        var folder = new Argument<DirectoryInfo>("DIR") { Description = "The folder that 'keys init' made." };
        var command = new System.CommandLine.Command("show", "Shows the root, its roles and which private keys are at hand; needs no passphrase.")
        {
            folder, Passphrase.NewOption(), Speaker.NewJsonOption(),
        };
        command.SetAction(Failures.Reported((arguments, speaker) =>
        {
            var report = KeysReport.Of(KeyFolder.Open(arguments.GetValue(folder)!.FullName), Passphrase.Of(arguments));
            speaker.Say(report, FleetJson.Default.KeysReport, report.ToText());
            return ExitCodes.Ok;
        }));
        return command;
    }

    internal static int Init(string folder, KeyPlan plan, TimeProvider time, Passphrase passphrase, Speaker speaker)
    {
        var keys = KeyFolder.Create(folder, plan, time.GetUtcNow());
        CertificateAuthority.Create(keys, passphrase, time.GetUtcNow());

        var report = KeysReport.Of(keys, passphrase);
        speaker.Say(report, FleetJson.Default.KeysReport, report.ToText() + "\nKeep the root and release keys and ca-key.pem offline: 'serve' and 'push' need root.json, roots/, the directive and fresh keys, and for a broker with TLS ca.pem, crl.pem and the operator's certificate and key.");
        return ExitCodes.Ok;
    }

    private static Option<string> RoleOption(string name, string description)
    {
        var option = new Option<string>(name) { Description = description, DefaultValueFactory = _ => "1/1", HelpName = "M/N" };
        option.Validators.Add(result =>
        {
            if (!RoleSize.TryParse(result.GetValueOrDefault<string>(), out _)) result.AddError($"{name} must be M/N with 1 ≤ M ≤ N ≤ 16, for example 2/3.");
        });
        return option;
    }

    private static RoleSize Size(string? text) => RoleSize.TryParse(text, out var size) ? size : RoleSize.One;
}
