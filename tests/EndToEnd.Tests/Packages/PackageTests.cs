using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Waiting;
using MQTTnet;

namespace Dunlin.EndToEnd.Tests.Packages;

/// <summary>The amd64 package under real systemd: <c>./build.sh systemd-test</c>.</summary>
public sealed class PackageTests
{
    internal const string FoldersVariable = "DUNLIN_SYSTEMD_TEST";
    private const string Unit = "dunlin-agent.service";
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task AnInstalledServiceIsReadyAndSaysInItsStatusWhatItDoes()
    {
        await using var container = await InstalledAsync();
        Assert.Equal("active", await PropertyAsync(container, "ActiveState"));
        await Eventually.TrueAsync(async () => (await PropertyAsync(container, "StatusText")).Length > 0, "the service tells its status");
        Assert.Equal("enabled", await container.RunAsync("systemctl", "is-enabled", Unit));
        Assert.Equal("dunlin", await container.ShellAsync($"ps -o user= -p $(systemctl show -P MainPID {Unit})"));
        Assert.Equal("700 dunlin", await container.RunAsync("stat", "-c", "%a %U", "/var/lib/dunlin"));
        Assert.Equal("640 root dunlin", await container.RunAsync("stat", "-c", "%a %U %G", "/etc/dunlin/agent.json"));
        Assert.Contains("video", await container.RunAsync("id", "-nG", "dunlin"), StringComparison.Ordinal);
        Assert.Equal("0", await PropertyAsync(container, "NRestarts"));
        Assert.NotEmpty(await container.RunAsync("dunlin-agent", "--version"));
    }

    // No machine of ours has RAPL: what the installation asks of udev is written down, with what the service does meanwhile.
    [Fact]
    public async Task TheServiceIsFirstStartedWhenUdevHasOpenedTheMetersToIt()
    {
        await using var container = await BootAsync();
        await container.ShellAsync("mount -t tmpfs tmpfs /sys/class && mkdir /sys/class/powercap");
        await container.ShellAsync("""printf '#!/bin/sh\necho "$1 $(systemctl is-active dunlin-agent)" >> /run/asked\n' > /usr/bin/udevadm""");
        await InstallAsync(container, newer: false);
        Assert.Equal("trigger inactive\nsettle inactive", await container.ShellAsync("grep -E '^(trigger|settle) ' /run/asked"));
    }

    [Fact]
    public async Task UnderTheUnitsHardeningTheModelsRaceAndResultsArrive()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var container = await InstalledAsync();
        await container.CopyAsync(Path.Join(Environment.GetEnvironmentVariable(FoldersVariable)!, "demo.tar"), "/tmp/demo.tar");
        await container.ShellAsync("mkdir /srv/demo && tar -C /srv/demo -xf /tmp/demo.tar");
        await container.ShellAsync($$"""
            cat > /etc/dunlin/agent.json <<'JSON'
            {
              "Device": { "Id": "belt-1", "Bundle": "/srv/demo/bundle" }, "Camera": { "Source": "/srv/demo/frames" },
              "Mqtt": { "Host": "127.0.0.1", "Port": {{broker.Port}} }, "Telemetry": { "WindowSeconds": 1 }, "Updates": { "AllowUnsigned": true }
            }
            JSON
            """);
        var windows = new ConcurrentQueue<TelemetryWindow>();
        using var client = new BrokerClient(TimeProvider.System);
        client.MessageReceived += arrival =>
        {
            windows.Enqueue(JsonSerializer.Deserialize(arrival.ApplicationMessage.Payload.ToArray(), MessageJson.Default.TelemetryWindow)!);
            return Task.CompletedTask;
        };
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", broker.Port).Build(), TestContext.Current.CancellationToken);
        await client.SubscribeAsync(Topics.OfAllDevices("default", "telemetry"), TestContext.Current.CancellationToken);
        await container.RunAsync("systemctl", "restart", Unit);

        await Eventually.TrueAsync(() => windows.Any(window => window.Frames.Classified >= 20), "frames are classified", TimeSpan.FromSeconds(60));
        await Eventually.TrueAsync(async () => (await JournalAsync(container)).Contains("faster than", StringComparison.Ordinal), "the race is over", TimeSpan.FromSeconds(60));
        // The supervisor forbids to be looked at, also to its own user, and still knows its own memory.
        Assert.All(windows, window => Assert.NotNull(window.Memory?.SupervisorByteCount));
        Assert.DoesNotContain("sandbox cannot be entered", await JournalAsync(container), StringComparison.Ordinal);
        Assert.Equal("0", await PropertyAsync(container, "NRestarts"));
    }

    [Fact]
    public async Task AServiceThatHangsIsKilledByTheWatchdogAndStartedAgain()
    {
        await using var container = await InstalledAsync();
        await container.ShellAsync($"mkdir -p /run/systemd/system/{Unit}.d && printf '[Service]\\nWatchdogSec=3\\n' > /run/systemd/system/{Unit}.d/fast.conf && systemctl daemon-reload && systemctl restart {Unit}");
        var hanging = await PropertyAsync(container, "MainPID");
        await container.RunAsync("kill", "-STOP", hanging);

        await Eventually.TrueAsync(async () => await PropertyAsync(container, "NRestarts") == "1" && await PropertyAsync(container, "ActiveState") == "active", "the service is started again", TimeSpan.FromSeconds(30));
        Assert.NotEqual(hanging, await PropertyAsync(container, "MainPID"));
        Assert.Contains("Watchdog timeout", await JournalAsync(container), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStopIsCleanAndTakesLessThanTwoSeconds()
    {
        await using var container = await InstalledAsync();
        var started = Stopwatch.GetTimestamp();
        await container.RunAsync("systemctl", "stop", Unit);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, StopLimit);
        Assert.Equal("inactive", await PropertyAsync(container, "ActiveState"));
        Assert.Equal("success", await PropertyAsync(container, "Result"));
        Assert.Equal("", await container.ShellAsync("pgrep -u dunlin || true"));
    }

    [Fact]
    public async Task AnUpgradeRunsTheNewAgentAndKeepsConfigurationAndState()
    {
        await using var container = await InstalledAsync();
        await container.ShellAsync("touch /var/lib/dunlin/kept && sed -i 's/\"default\"/\"orchard\"/' /etc/dunlin/agent.json");
        var old = await PropertyAsync(container, "MainPID");
        await InstallAsync(container, newer: true);

        Assert.Equal("active", await PropertyAsync(container, "ActiveState"));
        Assert.NotEqual(old, await PropertyAsync(container, "MainPID"));
        Assert.Contains("orchard", await container.RunAsync("cat", "/etc/dunlin/agent.json"), StringComparison.Ordinal);
        await container.RunAsync("test", "-e", "/var/lib/dunlin/kept");
    }

    [Fact]
    public async Task AWrongConfigurationEndsWith78AndIsNotTriedAgain()
    {
        await using var container = await InstalledAsync();
        await container.ShellAsync("echo '{' > /etc/dunlin/agent.json");
        await container.TryRunAsync("systemctl", "restart", Unit);
        await Eventually.TrueAsync(async () => await PropertyAsync(container, "ActiveState") == "failed", "the service has failed for good");
        Assert.Equal("78", await PropertyAsync(container, "ExecMainStatus"));
        Assert.Equal("0", await PropertyAsync(container, "NRestarts"));
    }

    [Fact]
    public async Task ARemovalStopsTheServiceAndAPurgeLeavesNothingBehind()
    {
        await using var container = await InstalledAsync();
        await EnrolAsync(container);
        await container.RunAsync("dpkg", "--remove", "dunlin-agent");
        Assert.Equal("", await container.ShellAsync("pgrep -u dunlin || true"));
        await container.RunAsync("test", "-e", "/etc/dunlin/agent.json");
        await container.RunAsync("dpkg", "--purge", "dunlin-agent");
        Assert.Equal("", await container.ShellAsync("find / -xdev -name '*dunlin*' -not -path '/proc/*' -not -path '/tmp/*' -not -path '/run/*'"));
        Assert.NotEqual(0, (await container.TryRunAsync("id", "dunlin")).ExitCode);
        Assert.NotEqual(0, (await container.TryRunAsync("getent", "group", "dunlin")).ExitCode);
    }

    [Fact]
    public async Task WhatThePurgeLeavesOfAnOperatorsOwnIsForRootAlone()
    {
        await using var container = await InstalledAsync();
        await container.ShellAsync("echo secret > /etc/dunlin/registry.password && chgrp dunlin /etc/dunlin/registry.password && chmod 640 /etc/dunlin/registry.password");
        await container.RunAsync("dpkg", "--purge", "dunlin-agent");
        Assert.Equal("640 root root", await container.RunAsync("stat", "-c", "%a %U %G", "/etc/dunlin/registry.password"));
        Assert.Equal("registry.password", await container.RunAsync("ls", "-A", "/etc/dunlin"));
    }

    [Fact]
    public async Task ThePagesThatMessagesNameAreOnTheBoard()
    {
        await using var container = await InstalledAsync();
        foreach (var page in (string[])["configuration.md", "fleet.md", "operations.md", "topics.md"])
            Assert.Equal((await File.ReadAllTextAsync(Path.Combine(RepositoryFolder.Root, "docs", page), TestContext.Current.CancellationToken)).Trim(), (await container.RunAsync("cat", $"/usr/share/doc/dunlin-agent/{page}")).Trim());
    }

    [Fact]
    public async Task ThePackageSaysWhoseWorkIsCompiledIn()
    {
        await using var container = await InstalledAsync();
        var notices = await container.RunAsync("zcat", "/usr/share/doc/dunlin-agent/third-party-notices.gz");
        foreach (var name in (string[])["Microsoft.NETCore.App.Runtime.NativeAOT.linux-x64", "Microsoft.ML.OnnxRuntime", "MQTTnet", "Serilog", "System.CommandLine", "Iot.Device.Bindings", "UnitsNet", "HdrHistogram", "MathNet.Numerics"])
            Assert.Matches($@"(?m)^== {name} \d", notices);
    }

    // As docs/fleet.md says: the folder is copied to the board, and its script puts everything in place.
    private static async Task EnrolAsync(SystemdContainer container)
    {
        using var space = new TemporaryFolder();
        var fleet = RepositoryFolder.Program("Fleet", "dunlin-fleet");
        await Tool.SucceedAsync(fleet, "keys", "init", space["keys"]);
        await Tool.SucceedAsync(fleet, "enroll", "belt-1", "--keys", space["keys"], "--broker", "localhost", "--out", space["belt-1"]);
        await Tool.SucceedAsync("tar", "-cf", space["belt-1.tar"], "-C", space.Path, "belt-1");
        await container.CopyAsync(space["belt-1.tar"], "/tmp/belt-1.tar");
        await container.ShellAsync("tar -C /tmp -xf /tmp/belt-1.tar && sh /tmp/belt-1/install.sh");
        Assert.Equal("640 root dunlin", await container.RunAsync("stat", "-c", "%a %U %G", "/etc/dunlin/device.key"));
    }

    private static async Task<SystemdContainer> BootAsync()
    {
        if (Environment.GetEnvironmentVariable(FoldersVariable) is null) Assert.Skip("Takes minutes and root: run ./build.sh systemd-test.");
        return await SystemdContainer.BootAsync(RepositoryFolder.Root);
    }

    private static async Task<SystemdContainer> InstalledAsync()
    {
        var container = await BootAsync();
        await InstallAsync(container, newer: false);
        return container;
    }

    private static async Task InstallAsync(SystemdContainer container, bool newer)
    {
        var packages = Directory.GetFiles(Environment.GetEnvironmentVariable(FoldersVariable)!, "*.deb").Order(StringComparer.Ordinal).ToArray();
        var to = $"/tmp/{(newer ? 2 : 1).ToString(CultureInfo.InvariantCulture)}.deb";
        await container.CopyAsync(packages[newer ? 1 : 0], to);
        await container.RunAsync("dpkg", "--install", to);
    }

    private static Task<string> JournalAsync(SystemdContainer container) => container.RunAsync("journalctl", "--no-pager", "-u", Unit);

    private static Task<string> PropertyAsync(SystemdContainer container, string property) =>
        container.RunAsync("systemctl", "show", "-P", property, Unit);
}
