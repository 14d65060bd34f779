using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Serving;
using Dunlin.Fleet.Signing;

namespace Dunlin.Fleet.Rotating;

/// <summary><c>dunlin-fleet rotate-root</c>: from root N to N + 1.</summary>
internal static class RotateRootCommand
{
    public static Command Create()
    {
        var fleet = new FleetOptions();
        var replace = new Option<string[]>("--replace") { Description = "A role whose keys are replaced by new ones: root, release, directive or fresh. For a stolen key.", AllowMultipleArgumentsPerToken = true, HelpName = "ROLE" };
        var add = new Option<string[]>("--add") { Description = "A public key (PEM) to add to a role, as ROLE=FILE.", HelpName = "ROLE=FILE" };
        var remove = new Option<string[]>("--remove") { Description = "The id of a key, or its beginning, that may sign nothing any more.", HelpName = "KEYID" };
        var threshold = new Option<string[]>("--threshold") { Description = "How many keys of a role must sign, as ROLE=M.", HelpName = "ROLE=M" };
        var days = new Option<int?>("--days") { Description = "Days until the new root expires; default: as many as the present one had." };
        var protect = new Option<bool>("--protect") { Description = "Encrypt new root and release keys with a passphrase; --passphrase-file implies it, and so does a passphrase on the keys that are replaced." };
        var key = SignCommand.KeyOption();
        replace.Validators.Add(result =>
        {
            foreach (var role in result.GetValueOrDefault<string[]>() ?? [])
                if (RoleNames.Parse(role) is null) result.AddError($"--replace '{role}' must be root, release, directive or fresh.");
        });
        add.Validators.Add(result =>
        {
            foreach (var text in result.GetValueOrDefault<string[]>() ?? [])
                if (Split(text) is null) result.AddError($"--add '{text}' must be ROLE=FILE with the role root, release, directive or fresh.");
        });
        threshold.Validators.Add(result =>
        {
            foreach (var text in result.GetValueOrDefault<string[]>() ?? [])
                if (Split(text) is not (_, var count) || !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out _)) result.AddError($"--threshold '{text}' must be ROLE=M, for example release=2.");
        });
        days.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1 or > 36_500) result.AddError("--days must be 1 to 36500.");
        });
        var command = new Command("rotate-root", "Makes the next root, signed by the old and the new root keys, and publishes the chain. Without changes it adds the signatures of the keys at hand to a root that waits for them.")
        {
            replace, add, remove, threshold, days, protect, key,
        };
        fleet.AddTo(command);
        command.SetAction(Failures.Reported((arguments, speaker, cancellationToken) =>
        {
            var change = new RootChange
            {
                Replaced = [.. (arguments.GetValue(replace) ?? []).Select(role => RoleNames.Parse(role)!.Value).Distinct()],
                Added = [.. (arguments.GetValue(add) ?? []).Select(text => Split(text)!.Value).Select(pair => ReadPublic(pair.Role, pair.Value))],
                Removed = arguments.GetValue(remove) ?? [],
                Thresholds = (arguments.GetValue(threshold) ?? []).Select(text => Split(text)!.Value).ToDictionary(pair => pair.Role, pair => int.Parse(pair.Value, CultureInfo.InvariantCulture)),
                Validity = arguments.GetValue(days) is { } count ? TimeSpan.FromDays(count) : null,
            };
            return RunAsync(fleet.Of(arguments), change, arguments.GetValue(protect), [.. (arguments.GetValue(key) ?? []).Select(file => file.FullName)], fleet.HasBroker(arguments), speaker, cancellationToken);
        }));
        return command;
    }

    private static async Task<int> RunAsync(
        FleetSetup setup, RootChange change, bool isProtected, IReadOnlyList<string> others, bool hasBroker, Speaker speaker, CancellationToken cancellationToken)
    {
        var folder = setup.OpenKeys();
        var pending = new PendingRoot(folder);
        if (pending.DropOvertaken() is { } dropped) speaker.Complain(dropped);
        if (!change.IsEmpty) pending.Draft(change, setup.Passphrase, isProtected, others, setup.Time.GetUtcNow());
        RotateReport report;
        if (pending.Exists) report = pending.Sign(setup.Passphrase, others);
        else if (hasBroker) report = new RotateReport(folder.Root.Fleet, folder.Root.Version, true, folder.Root.Roles.Root.Threshold, folder.Root.Roles.Root.Threshold, folder.Root.Roles.Root.Threshold, folder.Root.Roles.Root.Threshold, null);
        else throw new FleetException(ExitCodes.InputMissing, "Nothing is to be changed, and no root waits for signatures; say --replace, --add, --remove, --threshold or --days, or --broker to publish the present root.");
        if (report.IsComplete && hasBroker) report = report with { Published = await PublishAsync(setup, cancellationToken) };
        speaker.Say(report, FleetJson.Default.RotateReport, report.ToText());
        return !report.IsComplete ? ExitCodes.BelowThreshold : report.Published == 0 ? ExitCodes.Unavailable : ExitCodes.Ok;
    }

    private static async Task<int> PublishAsync(FleetSetup setup, CancellationToken cancellationToken)
    {
        using var logging = FleetLogging.Create(isVerbose: false, isJson: false);
        using var ledger = setup.OpenLedger();
        await using var writer = setup.NewWriter(ledger, logging.CreateLogger("rotate-root"));
        var answer = await writer.AskAsync(new ControlRequest(ControlVerb.Root), cancellationToken);
        return answer.IsRootTaken == false ? 0 : answer.Count;
    }

    private static (SigningRole Role, TrustedKey Key, string KeyId) ReadPublic(SigningRole role, string file)
    {
        using var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(file));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new FleetException(ExitCodes.InputMissing, $"'{file}' holds no public key; export one with 'openssl pkey -in KEY.pem -pubout'.", e);
        }
        var der = key.ExportSubjectPublicKeyInfo();
        return (role, new TrustedKey { Algorithm = TrustedKey.EcdsaP256Sha256, PublicKey = der }, SigningKey.KeyIdOf(der));
    }

    private static (SigningRole Role, string Value)? Split(string text) =>
        text.Split('=', 2) is [var name, { Length: > 0 } value] && RoleNames.Parse(name) is { } role ? (role, value) : null;
}
