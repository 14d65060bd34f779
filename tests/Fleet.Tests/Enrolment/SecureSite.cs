using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Enrolment;
using Dunlin.Fleet.Signing;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Servers;
using MQTTnet;
using MQTTnet.Protocol;

namespace Dunlin.Fleet.Tests.Enrolment;

/// <summary>A fleet with keys, and Mosquitto run by the configuration that <c>enroll-broker</c> writes: mTLS, access list, revocation list.</summary>
internal sealed class SecureSite : IAsyncDisposable
{
    private readonly Desk _desk;
    private readonly int _operatorPort;

    private SecureSite(Desk desk, MosquittoBroker broker, int operatorPort) => (_desk, Broker, _operatorPort) = (desk, broker, operatorPort);

    /// <summary>As devices see it.</summary>
    public MosquittoBroker Broker { get; }

    /// <summary>Where operators connect to.</summary>
    public string OperatorAddress => $"{Broker.Host}:{_operatorPort}";

    public string CaFile => Path.Combine(_desk.Keys, CertificateAuthority.CertificateFile);

    public static async Task<SecureSite> StartAsync(Desk desk)
    {
        await desk.RunAsync("keys", "init", desk.Keys);
        var folder = desk.At("broker");
        var operatorPort = Ports.Free();
        var broker = MosquittoBroker.Prepare(new MosquittoSettings { ConfigurationOf = port => WriteConfiguration(desk, folder, port, operatorPort) });
        await broker.StartAgainAsync();
        return new SecureSite(desk, broker, operatorPort);
    }

    /// <summary>A device's certificate, as <c>enroll</c> makes it.</summary>
    public CertificateFiles Enrol(string device, string? from = null)
    {
        var folder = _desk.At(device);
        if (!Directory.Exists(folder))
        {
            using var authority = OpenAuthority();
            var now = TimeProvider.System.GetUtcNow();
            var identity = from switch
            {
                "expired" => authority.Issue(device, null, now.AddHours(-20), now.AddHours(-1)),
                "future" => authority.Issue(device, null, now.AddHours(1), now.AddDays(1)),
                _ => authority.IssueClient(device, now, TimeSpan.FromDays(1)),
            };
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "device.pem"), identity.Certificate);
            File.WriteAllText(Path.Combine(folder, "device.key"), identity.Key);
        }
        return new CertificateFiles(Path.Combine(folder, "device.pem"), Path.Combine(folder, "device.key"));
    }

    public CertificateAuthority OpenAuthority() => CertificateAuthority.Open(KeyFolder.Open(_desk.Keys), new Passphrase(null, _ => null));

    public async Task<FieldDevice> ConnectAsync(string device)
    {
        var topics = new Topics("default", device);
        return new FieldDevice(await ProbeAsync(device, _ => { }, topics.Desired, topics.Fresh, topics.Root, topics.BlobData), topics);
    }

    public Task<MqttProbe> ProbeAsync(string device, Action<MqttClientOptionsBuilder> configure, params string[] filters) => MqttProbe.ConnectAsync(
        Broker,
        builder =>
        {
            MqttProbe.WithCertificate(CaFile, Enrol(device))(builder);
            configure(builder);
        },
        filters);

    /// <summary>Publishes once, as whom the certificate says, under a client id of choice.</summary>
    public async Task<MqttClientPublishReasonCode> PublishAsync(string certificate, string clientId, string topic)
    {
        using var client = new BrokerClient(TimeProvider.System);
        var builder = new MqttClientOptionsBuilder().WithTcpServer(Broker.Host, Broker.Port).WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500).WithClientId(clientId);
        MqttProbe.WithCertificate(CaFile, Enrol(certificate))(builder);
        await client.ConnectAsync(builder.Build());
        var result = await client.PublishAsync(new MqttApplicationMessage { Topic = topic, PayloadSegment = "{}"u8.ToArray(), QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce });
        await client.DisconnectAsync();
        return result.ReasonCode;
    }

    public ValueTask DisposeAsync() => Broker.DisposeAsync();

    /// <summary>What enroll-broker writes, with the files where they are.</summary>
    private static string WriteConfiguration(Desk desk, string folder, int port, int operatorPort)
    {
        if (!Directory.Exists(folder))
        {
            var code = FleetCommand.Create().Parse(["enroll-broker", "localhost", "--keys", desk.Keys, "--out", folder, "--port", $"{port}", "--operator-port", $"{operatorPort}", "--install-at", folder]).Invoke(new System.CommandLine.InvocationConfiguration { Output = TextWriter.Null });
            Assert.Equal(0, code);
        }
        return File.ReadAllText(Path.Combine(folder, "dunlin.conf"));
    }
}
