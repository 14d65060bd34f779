using System.CommandLine;
using System.Globalization;
using Dunlin.Fleet.Signing;

namespace Dunlin.Fleet.Enrolment;

/// <summary><c>dunlin-fleet enroll-broker</c>: what Mosquitto needs, and the operator's own certificate.</summary>
internal static class EnrolBrokerCommand
{
    /// <summary>The certificates of all operators, on the broker.</summary>
    public const string OperatorsFile = "operators.pem";

    private const int DefaultPort = 8883;

    private const UnixFileMode OpenToAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    public static Command Create()
    {
        var host = new Argument<string>("HOST") { Description = "The name or address that devices and operators connect to." };
        var keys = SignCommand.KeysOption();
        var output = new Option<DirectoryInfo?>("--out") { Description = "The folder to make; default: HOST in this one." };
        var port = new Option<int>("--port") { Description = "Where Mosquitto is to listen for devices.", DefaultValueFactory = _ => DefaultPort };
        var operatorPort = new Option<int>("--operator-port") { Description = "Where it is to listen for operators.", DefaultValueFactory = _ => OperatorCertificate.DefaultPort };
        var installAt = new Option<string>("--install-at") { Description = "Where the folder will be on the broker's machine.", DefaultValueFactory = _ => "/etc/mosquitto/dunlin" };
        var days = new Option<int>("--days") { Description = "Days until the certificates run out.", DefaultValueFactory = _ => 3650 };
        host.Validators.Add(result =>
        {
            if (Uri.CheckHostName(result.GetValueOrDefault<string>() ?? "") == UriHostNameType.Unknown) result.AddError("HOST must be a host name or an address, without port.");
        });
        foreach (var one in (Option<int>[])[port, operatorPort])
        {
            one.Validators.Add(result =>
            {
                if (result.GetValueOrDefault<int>() is < 1 or > 65535) result.AddError($"{one.Name} must be 1 to 65535.");
            });
        }

        days.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 7300) result.AddError("--days must be 1 to 7300.");
        });
        var command = new Command("enroll-broker", "Makes a folder for Mosquitto: certificate, access list, configuration; and a certificate for the operator, in the key folder.")
        {
            host, keys, output, port, operatorPort, installAt, days, Passphrase.NewOption(), Speaker.NewJsonOption(),
        };
        command.Validators.Add(result =>
        {
            // An option that was not given has no value yet here.
            if (Of(port, DefaultPort) == Of(operatorPort, OperatorCertificate.DefaultPort)) result.AddError("--port and --operator-port must differ.");

            int Of(Option<int> option, int otherwise) => result.GetResult(option)?.GetValueOrDefault<int>() ?? otherwise;
        });
        command.SetAction(Failures.Reported((arguments, speaker) =>
        {
            var name = arguments.GetValue(host)!;
            var folder = KeyFolder.Open(arguments.GetValue(keys)!.FullName);
            var now = TimeProvider.System.GetUtcNow();
            var validity = TimeSpan.FromDays(arguments.GetValue(days));
            var path = Path.GetFullPath(arguments.GetValue(output)?.FullName ?? name);
            using var authority = CertificateAuthority.Open(folder, Passphrase.Of(arguments));
            var revoked = authority.RevokedPem(now);
            NewFolder.Create(path);
            // Copied as it is: Mosquitto, as a user of its own, must get in. What is secret there is one file.
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, OpenToAll);
            var server = authority.IssueServer(name, now, validity);
            File.WriteAllText(Path.Combine(path, "ca.pem"), authority.CertificatePem + "\n");
            File.WriteAllText(Path.Combine(path, "crl.pem"), revoked);
            File.WriteAllText(Path.Combine(path, "server.pem"), server.Certificate);
            OwnerFile.Create(Path.Combine(path, "server.key"), server.Key);
            File.WriteAllText(Path.Combine(path, "acl"), AccessList.Write(folder.Root.Fleet));
            File.WriteAllText(Path.Combine(path, OperatorsFile), OperatorCertificate.OpenOrCreate(folder.Path, now, validity));
            File.WriteAllText(Path.Combine(path, "dunlin.conf"), Configuration(arguments.GetValue(port), arguments.GetValue(operatorPort), arguments.GetValue(installAt)!.TrimEnd('/')));
            var report = new EnrolReport(name, folder.Root.Fleet, path, folder.Root.Version, now + validity);
            speaker.Say(report, FleetJson.Default.EnrolReport,
                $"{path}: for Mosquitto on '{name}'. Copy it to {arguments.GetValue(installAt)}, give the group mosquitto server.key to read (chgrp mosquitto, chmod 640), and link dunlin.conf into /etc/mosquitto/conf.d. Devices connect to port {arguments.GetValue(port)}, you to {arguments.GetValue(operatorPort)}; your own certificate is {OperatorCertificate.CertificateFile} in '{folder.Path}', which --tls uses.");
            return ExitCodes.Ok;
        }));
        return command;
    }

    private static string Configuration(int port, int operatorPort, string folder) => string.Create(CultureInfo.InvariantCulture, $"""
        # Devices, with certificates of the fleet's own authority. The CN is user name and client id: none can take another's place.
        listener {port}
        cafile {folder}/ca.pem
        certfile {folder}/server.pem
        keyfile {folder}/server.key
        crlfile {folder}/crl.pem
        require_certificate true
        use_identity_as_username true
        use_username_as_clientid true

        # Operators, with the certificates in this file and no others; each of their programs has a client id of its own.
        listener {operatorPort}
        cafile {folder}/{OperatorsFile}
        certfile {folder}/server.pem
        keyfile {folder}/server.key
        require_certificate true
        use_identity_as_username true

        allow_anonymous false
        acl_file {folder}/acl
        persistence true

        # Per client. What is kept for all devices waits for 'serve' when it connects: 3 messages and some 4 kB for each.
        max_queued_messages 100000
        max_queued_bytes 134217728

        """);
}
