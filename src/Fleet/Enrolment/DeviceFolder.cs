using System.Text.Json;
using System.Text.Json.Nodes;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Signing;

namespace Dunlin.Fleet.Enrolment;

/// <summary>What a board needs beside the package, as a folder to copy to it; <c>install.sh</c> puts all in place.</summary>
internal static class DeviceFolder
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private const string Script = """
        #!/bin/sh
        # Puts this device's identity in place: run as root on the board, after 'apt install ./dunlin-agent_*.deb'.
        # --replace-trust: also moves what the board trusts so far aside, for one whose trust is damaged, or of another fleet.
        set -eu
        cd "$(dirname "$0")"
        trust=/var/lib/dunlin/trust
        case "${1-}" in
          "" | --replace-trust) ;;
          *) echo "install.sh: '$1' is not known; there is --replace-trust only" >&2; exit 1 ;;
        esac
        [ "$(id -u)" = 0 ] || { echo "install.sh: run it as root" >&2; exit 1; }
        getent passwd dunlin > /dev/null || { echo "install.sh: there is no user 'dunlin'; install the package dunlin-agent first" >&2; exit 1; }
        install -d -m 755 /etc/dunlin
        # What was written by hand, camera and power, is nowhere else: a copy is never written over.
        if [ -e /etc/dunlin/agent.json ] && ! cmp -s agent.json /etc/dunlin/agent.json; then
          before=/etc/dunlin/agent.json.before
          number=1
          while [ -e "$before" ]; do number=$((number + 1)); before=/etc/dunlin/agent.json.before.$number; done
          cp -p /etc/dunlin/agent.json "$before"
          echo "install.sh: this board's configuration so far is in $before; take over into /etc/dunlin/agent.json what it had beyond the new one, such as camera and power, then run: systemctl restart dunlin-agent" >&2
        fi
        install -m 644 ca.pem device.pem /etc/dunlin/
        install -m 640 -g dunlin device.key agent.json /etc/dunlin/
        if [ "${1-}" = --replace-trust ] && [ -e $trust ]; then
          # An agent that runs would write its floors again.
          if [ -d /run/systemd/system ]; then systemctl stop dunlin-agent; fi
          old=$(mktemp -d $trust.replaced.XXXXXX)
          mv $trust "$old"
          echo "install.sh: what this board trusted is in $old now; push to it soon: until it has committed a release it would take older directives and releases again" >&2
        fi
        # A root that is trusted already stays: it is followed to newer ones, and replaced by order only.
        if [ ! -e $trust/root.json ]; then
          install -d -m 700 -o dunlin -g dunlin /var/lib/dunlin $trust
          install -m 600 -o dunlin -g dunlin root.json $trust/root.json
        elif ! cmp -s root.json $trust/root.json; then
          echo "install.sh: $trust/root.json is another root than this folder's, and stays: right if it is a newer or older one of the same fleet. If it is damaged, or another fleet's, run: sh install.sh --replace-trust" >&2
        fi
        if [ -d /run/systemd/system ]; then systemctl restart dunlin-agent; fi
        echo "This board is '@DEVICE@' of the fleet '@FLEET@'. Check it with: dunlin-agent check; systemctl status dunlin-agent"

        """;

    /// <param name="path">Made; must not exist, or be empty.</param>
    /// <param name="device">Its id, the CN of the certificate.</param>
    /// <param name="keys">The root.</param>
    /// <param name="authority">PEM of the authority that signed the broker's certificate.</param>
    /// <param name="identity">The device's own.</param>
    /// <param name="host">The broker.</param>
    /// <param name="port">0: 8883.</param>
    /// <param name="settings">Further <c>Section:Key=value</c> for agent.json; an entry of a list has its number as a key.</param>
    public static void Write(string path, string device, KeyFolder keys, string authority, IssuedCertificate identity, string host, int port, IReadOnlyList<string> settings)
    {
        NewFolder.Create(path);
        File.WriteAllBytes(Path.Combine(path, KeyFolder.RootEnvelope), DsseEnvelope.Format.Write(keys.Envelope));
        File.WriteAllText(Path.Combine(path, "ca.pem"), authority + "\n");
        File.WriteAllText(Path.Combine(path, "device.pem"), identity.Certificate);
        OwnerFile.Create(Path.Combine(path, "device.key"), identity.Key);
        File.WriteAllText(Path.Combine(path, "mosquitto.acl"), AccessList.Devices(keys.Root.Fleet));
        File.WriteAllText(Path.Combine(path, "agent.json"), Configuration(device, keys.Root.Fleet, host, port, settings));
        var script = Path.Combine(path, "install.sh");
        File.WriteAllText(script, Script.Replace("@DEVICE@", device, StringComparison.Ordinal).Replace("@FLEET@", keys.Root.Fleet, StringComparison.Ordinal));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static string Configuration(string device, string fleet, string host, int port, IReadOnlyList<string> settings)
    {
        var mqtt = new JsonObject { ["Host"] = host };
        if (port != 0) mqtt["Port"] = port;
        mqtt["Tls"] = true;
        mqtt["CaFile"] = "/etc/dunlin/ca.pem";
        mqtt["CertificateFile"] = "/etc/dunlin/device.pem";
        mqtt["KeyFile"] = "/etc/dunlin/device.key";
        var root = new JsonObject { ["Device"] = new JsonObject { ["Id"] = device, ["Fleet"] = fleet }, ["Mqtt"] = mqtt };
        foreach (var setting in settings)
        {
            var (path, section) = (setting.Split('=', 2)[0].Split(':'), root);
            foreach (var key in path[..^1])
            {
                if (section[key] is not JsonObject inner) section[key] = inner = [];
                section = inner;
            }
            section[path[^1]] = setting.Split('=', 2)[1];
        }
        return root.ToJsonString(Indented) + "\n";
    }
}

/// <summary>Folders that are made here and hold nothing of others.</summary>
internal static class NewFolder
{
    /// <exception cref="FleetException">It is there already, with something in it.</exception>
    public static void Create(string path)
    {
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
            throw new FleetException(ExitCodes.CannotCreate, $"'{path}' is not empty; name a new folder with --out.");
        Bundles.Durability.DurableFile.CreateDirectory(path);
    }
}
