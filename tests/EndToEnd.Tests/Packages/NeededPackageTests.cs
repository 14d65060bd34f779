using Dunlin.TestKit;
using Dunlin.TestKit.Machine;

namespace Dunlin.EndToEnd.Tests.Packages;

/// <summary>What <c>./build.sh</c> installs for itself, under real systemd: <c>./build.sh systemd-test</c>.</summary>
public sealed class NeededPackageTests : IDisposable
{
    private const string Unit = "dunlin-needed.service", Policy = "/usr/sbin/policy-rc.d", Broken = "dunlin-broken";
    private readonly TemporaryFolder _space = new();

    [Fact]
    public async Task AServiceThatComesWithAPackageNeitherRunsNorIsEnabledAndOthersStayAsTheyAre()
    {
        await using var container = await BootAsync();
        Assert.Equal("enabled", await container.RunAsync("systemctl", "is-enabled", "fstrim.timer"));
        await NeedAsync(container, "dunlin-needed");
        Assert.Equal("inactive", (await container.TryRunAsync("systemctl", "is-active", Unit)).Output);
        Assert.Equal("disabled", (await container.TryRunAsync("systemctl", "is-enabled", Unit)).Output);
        Assert.Equal("enabled", await container.RunAsync("systemctl", "is-enabled", "fstrim.timer"));
        Assert.NotEqual(0, (await container.TryRunAsync("test", "-e", Policy)).ExitCode);
    }

    [Fact]
    public async Task ThePolicyGoesAlsoWhereAnInstallationFails()
    {
        await using var container = await BootAsync();
        Assert.NotEqual(0, (await container.TryRunAsync("bash", "-euc", $". /srv/need.sh; need dunlin-needed {Broken}")).ExitCode);
        await container.RunAsync("test", "-e", $"/var/lib/dpkg/info/{Broken}.postinst");
        Assert.Equal("disabled", (await container.TryRunAsync("systemctl", "is-enabled", Unit)).Output);
        Assert.NotEqual(0, (await container.TryRunAsync("test", "-e", Policy)).ExitCode);
    }

    [Fact]
    public async Task TheMachinesOwnPolicyStaysAndWhatItLetsStartIsStopped()
    {
        await using var container = await BootAsync();
        await container.ShellAsync($"printf '#!/bin/sh\\nexit 0\\n' > {Policy}; chmod 755 {Policy}");
        await NeedAsync(container, "dunlin-needed");
        Assert.Equal("inactive", (await container.TryRunAsync("systemctl", "is-active", Unit)).Output);
        Assert.Contains("exit 0", await container.RunAsync("cat", Policy), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhoeverIsNotRootIsToldWhatToInstall()
    {
        await using var container = await BootAsync();
        var (code, output) = await container.TryRunAsync("setpriv", "--reuid=65534", "--clear-groups", "bash", "-euc", ". /srv/need.sh; need dunlin-needed");
        Assert.Equal((1, "build.sh: Debian packages are missing; install them as root: apt-get install dunlin-needed"), (code, output));
    }

    public void Dispose() => _space.Dispose();

    private static Task<string> NeedAsync(SystemdContainer container, string package) => container.RunAsync("bash", "-euc", $". /srv/need.sh; need {package}");

    // With a repository of two packages: one has a service, the other's installation fails.
    private async Task<SystemdContainer> BootAsync()
    {
        if (Environment.GetEnvironmentVariable(PackageTests.FoldersVariable) is null) Assert.Skip("Takes minutes and root: run ./build.sh systemd-test.");
        await PackAsync("dunlin-needed", $"deb-systemd-helper enable {Unit}; systemctl daemon-reload; deb-systemd-invoke start {Unit}");
        await PackAsync(Broken, "exit 1");
        await Tool.SucceedAsync("sh", "-c", "cd \"$1/repository\" && dpkg-scanpackages --multiversion . > Packages 2> /dev/null && tar -cf ../repository.tar .", "sh", _space.Path);
        var container = await SystemdContainer.BootAsync(RepositoryFolder.Root);
        await container.CopyAsync(_space["repository.tar"], "/srv/repository.tar");
        await container.CopyAsync(Path.Join(RepositoryFolder.Root, "packaging/need.sh"), "/srv/need.sh");
        await container.ShellAsync("""
            mkdir /srv/repository && tar -C /srv/repository -xf /srv/repository.tar
            rm -rf /etc/apt/sources.list.d/* && echo 'deb [trusted=yes] file:/srv/repository ./' > /etc/apt/sources.list
            """);
        return container;
    }

    private async Task PackAsync(string name, string configure)
    {
        var folder = _space[name];
        Directory.CreateDirectory(Path.Join(folder, "DEBIAN"));
        await File.WriteAllTextAsync(Path.Join(folder, "DEBIAN/control"), $"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: for a test\n");
        await File.WriteAllTextAsync(Path.Join(folder, "DEBIAN/postinst"), $"#!/bin/sh\nset -e\n{configure}\n");
        await Tool.SucceedAsync("chmod", "755", Path.Join(folder, "DEBIAN/postinst"));
        var units = Directory.CreateDirectory(Path.Join(folder, "usr/lib/systemd/system")).FullName;
        await File.WriteAllTextAsync(Path.Join(units, $"{name}.service"), "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n");
        Directory.CreateDirectory(_space["repository"]);
        await Tool.SucceedAsync("dpkg-deb", "--root-owner-group", "--build", folder, _space["repository"]);
    }
}
