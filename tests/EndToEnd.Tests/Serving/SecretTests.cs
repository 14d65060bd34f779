using System.Net;
using System.Net.Sockets;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Waiting;

namespace Dunlin.EndToEnd.Tests.Serving;

/// <summary>Row 46 of the promises, for a whole agent.</summary>
public sealed class SecretTests
{
    private const string BrokerPassword = "correct-horse", CameraPassword = "battery-staple", CameraToken = "token-in-a-url", RegistryPassword = "tr0ub4dor";

    [Fact]
    public async Task NoSecretIsInAMessageInTheLogInTheStateOrInAChild()
    {
        using var space = new TemporaryFolder();
        // Takes connections and says nothing, so that the camera's program lives.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Passwords = new Dictionary<string, string> { ["board"] = BrokerPassword, ["probe"] = "p" } });
        await using var probe = await MqttProbe.ConnectAsync(broker, options => options.WithCredentials("probe", "p"), "#");
        var setup = new AgentSetup
        {
            StateDirectory = space["state"], Camera = $"rtsp://viewer:{CameraPassword}@127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/belt?token={CameraToken}", Port = broker.Port,
            Set = [$"Race:Variant={DemoVariants.Lightest}", "Race:MaximumThreads=1", "Race:BudgetSeconds=1", "Mqtt:UserName=board"],
            Environment = new Dictionary<string, string>
            {
                ["DUNLIN_Mqtt__Password"] = BrokerPassword, ["DUNLIN_Updates__Credentials__0__Host"] = "registry.example",
                ["DUNLIN_Updates__Credentials__0__UserName"] = "board", ["DUNLIN_Updates__Credentials__0__Password"] = RegistryPassword,
            },
        };
        await using var agent = AgentProcess.Run(setup);
        var worker = await agent.WorkerAsync();
        int? camera = null;
        await Eventually.TrueAsync(() => (camera = Camera(agent)) is not null, () => $"ffmpeg runs; the agent said:\n{agent.Log}");
        var children = new[] { worker, camera!.Value }.Select(child => (Environment: File.ReadAllText($"/proc/{child}/environ"), CommandLine: File.ReadAllText($"/proc/{child}/cmdline"))).ToList();
        await probe.NextAsync(setup.Topic("race"));
        await probe.NextAsync(setup.Topic("telemetry"));
        agent.Terminate();
        Assert.Equal(0, await agent.EndAsync());

        Assert.Equal(AgentProcess.IsCompiledAhead ? "" : "DOTNET_EnableDiagnostics=0", children[0].Environment.Trim('\0'));
        var state = Directory.EnumerateFiles(setup.StateDirectory, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".onnx", StringComparison.Ordinal)).Select(File.ReadAllText);
        string[] said = [.. probe.Messages.Select(message => message.Topic + message.Text), agent.Log, .. children.Select(child => child.Environment + child.CommandLine), .. state];
        foreach (var secret in (string[])[BrokerPassword, CameraPassword, CameraToken, RegistryPassword])
            Assert.DoesNotContain(said, text => text.Contains(secret, StringComparison.OrdinalIgnoreCase));
    }

    private static int? Camera(AgentProcess agent) => agent.Children.Where(child => ProcessTable.CommandLineOf(child) is [var program, ..] && program.EndsWith("ffmpeg", StringComparison.Ordinal)).Cast<int?>().FirstOrDefault();
}
