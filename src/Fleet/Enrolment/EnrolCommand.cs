using System.CommandLine;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Signing;

namespace Dunlin.Fleet.Enrolment;

/// <summary><c>dunlin-fleet enroll</c>: all that a board needs beside the package.</summary>
internal static class EnrolCommand
{
    public static System.CommandLine.Command Create()
    {
        var device = new Argument<string>("DEVICE") { Description = "The board's id: in its topics, and the CN of its certificate." };
        var keys = SignCommand.KeysOption();
        var state = new Option<DirectoryInfo?>("--state") { Description = "The folder of the fleet's database; default: the folder 'state' of --keys." };
        var output = new Option<DirectoryInfo?>("--out") { Description = "The folder to make; default: DEVICE in this one." };
        var broker = new Option<string>("--broker") { Description = "host or host:port that the board connects to with TLS; the port is 8883.", Required = true };
        var days = new Option<int>("--days") { Description = "Days until the certificate runs out.", DefaultValueFactory = _ => 3650 };
        var set = new Option<string[]>("--set") { Description = "A further setting for agent.json, as Section:Key=value; for lists Section:Key:0=value, or Section:Key:0:Name=value.", DefaultValueFactory = _ => [], HelpName = "SETTING" };
        device.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is not { } name || !DeviceName.IsValid(name)) result.AddError($"DEVICE must match {DeviceName.Rule}.");
            else if (name is AccessList.OperatorName or "all") result.AddError($"DEVICE must not be '{name}', which has a meaning of its own.");
        });
        broker.Validators.Add(result =>
        {
            if (!BrokerOptions.TryParseBroker(result.GetValueOrDefault<string>() ?? "", out _, out _)) result.AddError("--broker must be host or host:port with a port of 1 to 65535.");
        });
        days.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 7300) result.AddError("--days must be 1 to 7300.");
        });
        set.Validators.Add(result =>
        {
            foreach (var setting in result.GetValueOrDefault<string[]>() ?? [])
                if (setting.Split('=', 2) is not [var key, _] || key.Split(':') is not { Length: > 1 } path || path.Contains("")) result.AddError($"--set '{setting}' must be Section:Key=value, of a list Section:Key:0=value.");
        });
        var command = new System.CommandLine.Command("enroll", "Makes a folder with a board's certificate and key, the root, the broker's authority and agent.json; with the package it is all that a board needs.")
        {
            device, keys, state, output, broker, days, set, Passphrase.NewOption(), Speaker.NewJsonOption(),
        };
        command.SetAction(Failures.Reported((arguments, speaker) =>
        {
            var name = arguments.GetValue(device)!;
            _ = BrokerOptions.TryParseBroker(arguments.GetValue(broker)!, out var host, out var port);
            var folder = KeyFolder.Open(arguments.GetValue(keys)!.FullName);
            var passphrase = Passphrase.Of(arguments);
            var now = TimeProvider.System.GetUtcNow();
            var path = Path.GetFullPath(arguments.GetValue(output)?.FullName ?? name);
            using var authority = CertificateAuthority.Open(folder, passphrase);
            NewFolder.Create(path);
            var identity = authority.IssueClient(name, now, TimeSpan.FromDays(arguments.GetValue(days)));
            DeviceFolder.Write(path, name, folder, authority.CertificatePem, identity, host, port, arguments.GetValue(set)!);
            using var ledger = Ledger.Open(arguments.GetValue(state)?.FullName ?? Path.Combine(folder.Path, FleetSetup.StateFolder));
            ledger.AddDevice(name, now);
            var report = new EnrolReport(name, folder.Root.Fleet, path, folder.Root.Version, now.AddDays(arguments.GetValue(days)));
            speaker.Say(report, FleetJson.Default.EnrolReport, report.ToText());
            return ExitCodes.Ok;
        }));
        return command;
    }
}

/// <summary>What was made for a board or a broker.</summary>
internal sealed record EnrolReport(string Name, string Fleet, string Folder, int RootVersion, DateTimeOffset Expires)
{
    public string ToText() => $"{Folder}: '{Name}' of the fleet '{Fleet}', certificate valid until {Expires:yyyy-MM-dd}. Copy the folder to the board and run its install.sh there as root; then delete it here, it holds the board's key.";
}
