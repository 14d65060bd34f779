using Dunlin.TestKit.Machine;

namespace Dunlin.Fleet.Tests.Enrolment;

/// <summary>The install.sh of a device's folder, run as root on a board of its own: /etc, /run and /var/lib of a mount namespace; /etc/dunlin and /var/lib stay.</summary>
public sealed class InstallScriptTests : IDisposable
{
    private const string Board = """
        set -eu
        umask 022
        cp /etc/passwd /etc/group "$1"
        mount -t tmpfs tmpfs /etc
        mount -t tmpfs tmpfs /run
        mv "$1/passwd" "$1/group" /etc
        echo dunlin:x:990:990::/var/lib/dunlin:/usr/sbin/nologin >> /etc/passwd
        echo dunlin:x:990: >> /etc/group
        mkdir -p "$1/etc-dunlin" /etc/dunlin
        mount --bind "$1/etc-dunlin" /etc/dunlin
        mount --bind "$1" /var/lib
        shift
        "$@"
        """;

    private readonly Desk _desk = new();

    [Fact]
    public async Task DamagedTrustIsReplacedByOrderOnlyAndMovedAside()
    {
        var (folder, trust) = (await EnrolAsync("belt-1"), _desk.At("var-lib/dunlin/trust"));
        var (code, output) = await InstallAsync(folder);
        Assert.True(code == 0 && !output.Contains("install.sh:", StringComparison.Ordinal), output);
        foreach (var file in (string[])["root.json", "fresh.json", "floors.json", "floors.json.bak"]) File.WriteAllText(Path.Combine(trust, file), "damaged");

        (code, output) = await InstallAsync(folder);
        Assert.True(code == 0 && output.Contains("another root than this folder's", StringComparison.Ordinal), output);
        Assert.Equal("damaged", File.ReadAllText(Path.Combine(trust, "root.json")));

        (code, output) = await InstallAsync(folder, "--replace-trust");
        Assert.True(code == 0, output);
        Assert.Equal(["root.json"], Directory.GetFiles(trust).Select(Path.GetFileName));
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "root.json")), File.ReadAllBytes(Path.Combine(trust, "root.json")));
        Assert.Equal("990 600", (await Tool.SucceedAsync("stat", "-c", "%u %a", Path.Combine(trust, "root.json"))).Trim());
        var old = Assert.Single(Directory.GetDirectories(_desk.At("var-lib/dunlin"), "trust.replaced.*"));
        Assert.Equal(4, Directory.GetFiles(Path.Combine(old, "trust")).Length);
    }

    [Fact]
    public async Task TheConfigurationsBeforeAreKeptAndNamed()
    {
        var folder = await EnrolAsync("belt-1");
        string own = """{ "Camera": { "Source": "rpicam:0" } }""", enrolled = File.ReadAllText(Path.Combine(folder, "agent.json")), edited = enrolled + " ";
        var configuration = _desk.At("var-lib/etc-dunlin/agent.json");
        Directory.CreateDirectory(Path.GetDirectoryName(configuration)!);
        File.WriteAllText(configuration, own);
        var (code, output) = await InstallAsync(folder);
        Assert.True(code == 0 && output.Contains("/etc/dunlin/agent.json.before; ", StringComparison.Ordinal), output);

        // Twice in a row changes nothing, and has nothing to keep.
        (code, output) = await InstallAsync(folder);
        Assert.True(code == 0 && !output.Contains(".before", StringComparison.Ordinal), output);

        File.WriteAllText(configuration, edited);
        (code, output) = await InstallAsync(folder);
        Assert.True(code == 0 && output.Contains("/etc/dunlin/agent.json.before.2; ", StringComparison.Ordinal), output);
        Assert.Equal([enrolled, own, edited], ((string[])["", ".before", ".before.2"]).Select(suffix => File.ReadAllText(configuration + suffix)));
    }

    [Fact]
    public async Task AnOptionThatIsNotKnownChangesNothing()
    {
        var folder = await EnrolAsync("belt-1");
        var (code, output) = await InstallAsync(folder, "--replace");
        Assert.True(code == 1 && output.Contains("--replace-trust", StringComparison.Ordinal), output);
        Assert.False(Directory.Exists(_desk.At("var-lib/dunlin")));
    }

    public void Dispose() => _desk.Dispose();

    private async Task<string> EnrolAsync(string device)
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        Assert.True(await _desk.RunAsync("enroll", device, "--keys", _desk.Keys, "--out", _desk.At(device), "--broker", "broker.orchard") == 0, _desk.Errors);
        Directory.CreateDirectory(_desk.At("var-lib"));
        return _desk.At(device);
    }

    private async Task<(int Code, string Output)> InstallAsync(string folder, params string[] arguments)
    {
        if ((await Tool.RunAsync("unshare", "--mount", "true")).ExitCode != 0) Assert.Skip("unshare --mount is not allowed here; run as root.");
        return await Tool.RunAsync("unshare", ["--mount", "sh", "-c", Board, "board", _desk.At("var-lib"), "sh", Path.Combine(folder, "install.sh"), .. arguments]);
    }
}
