using System.CommandLine;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Enrolment;
using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Serving;

namespace Dunlin.Fleet.Pushing;

/// <summary><c>dunlin-fleet revoke device</c>: out of the fleet, and its certificates on the list of the revoked; the latter for the broker's host, too.</summary>
internal static class RevokeDeviceCommand
{
    public static System.CommandLine.Command Create()
    {
        var device = new Argument<string>("DEVICE") { Description = "Whose certificates are not to be taken any more: a device, or the broker's host." };
        var fleet = new FleetOptions();
        device.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is AccessList.OperatorName) result.AddError($"DEVICE is '{AccessList.OperatorName}'; an operator is shut out by taking the certificate out of {EnrolBrokerCommand.OperatorsFile} on the broker, and restarting it.");
            else if (result.GetValueOrDefault<string>() is var name && !DeviceName.IsValid(name) && Uri.CheckHostName(name) == UriHostNameType.Unknown) result.AddError($"DEVICE must match {DeviceName.Rule}, or be a host's name.");
        });
        var command = new System.CommandLine.Command("device", "Takes a device out of the fleet, and puts its certificates on the list of the revoked, crl.pem; the broker needs the new list.") { device };
        fleet.AddTo(command);
        command.SetAction(Failures.Reported((arguments, speaker, cancellationToken) =>
            RetireAsync(fleet.Of(arguments), arguments.GetValue(device)!, fleet.HasBroker(arguments), speaker, cancellationToken)));
        return command;
    }

    private static async Task<int> RetireAsync(FleetSetup setup, string name, bool hasBroker, Speaker speaker, CancellationToken cancellationToken)
    {
        var now = setup.Time.GetUtcNow();
        var count = CertificateAuthority.Revoke(setup.OpenKeys(), setup.Passphrase, name, now);
        using var ledger = setup.OpenLedger();
        var isRetired = ledger.Retire(name, now);
        if (count == 0 && !isRetired) throw new FleetException(ExitCodes.InputMissing, $"No certificate was issued for '{name}' from here, and no device of the fleet is called so; revoke it where it was enrolled.");
        var report = new RevokedDeviceReport(name, count, Path.Combine(setup.Keys, CertificateAuthority.RevocationFile), isRetired);
        if (hasBroker) report = report with { IsCleared = await ClearAsync(setup, ledger, cancellationToken) };
        speaker.Say(report, FleetJson.Default.RevokedDeviceReport, report.ToText());
        return report.IsCleared == false ? ExitCodes.Unavailable : ExitCodes.Ok;
    }

    // As the ledger says now: nothing for devices that left.
    private static async Task<bool> ClearAsync(FleetSetup setup, Ledger ledger, CancellationToken cancellationToken)
    {
        using var logging = FleetLogging.Create(isVerbose: false, isJson: false);
        await using var writer = setup.NewWriter(ledger, logging.CreateLogger("revoke"));
        return (await writer.AskAsync(new ControlRequest(ControlVerb.Root), cancellationToken)).IsCleared == true;
    }
}

/// <param name="Device">Who it was.</param>
/// <param name="CertificateCount">How many certificates are on the list for it.</param>
/// <param name="RevocationList">The file for the broker.</param>
/// <param name="IsRetired">It is of the fleet no more; false for a host, which never was.</param>
internal sealed record RevokedDeviceReport(string Device, int CertificateCount, string RevocationList, bool IsRetired)
{
    /// <summary>What the broker kept for it was taken away; null: no broker was named.</summary>
    public bool? IsCleared { get; init; }

    public string ToText() => string.Join(' ', ((string?[])[Certificates(), IsRetired ? Membership() : null]).OfType<string>());

    private string Certificates() => CertificateCount == 0
        ? $"'{Device}': no certificate was issued from here; revoke what it has where it was enrolled."
        : $"'{Device}': {CertificateCount} certificates revoked in {RevocationList}. Copy it to the broker and restart it (Mosquitto reads the list at its start only).";

    private string Membership() => "It is out of the fleet until it is enrolled or pushed to by name again" + (IsCleared switch
    {
        true => "; its directive and beacon are gone from the broker.",
        false => ", but the broker has not taken it; say --broker again.",
        null => "; 'serve' takes its directive and beacon from the broker when it connects next, this command with --broker at once.",
    });
}
