using Dunlin.TestKit.Brokers;

namespace Dunlin.Telemetry.Tests.Link;

public sealed class TlsTests(TlsTests.Authority authority) : IClassFixture<TlsTests.Authority>
{
    private readonly TestPki _pki = authority.Pki;

    [Theory]
    [InlineData("good", null)]
    [InlineData("expired", "is valid from")]
    [InlineData("future", "is valid from")]
    [InlineData("wrong-host", "is not for the host 'localhost'")]
    [InlineData("revoked", "is revoked by")]
    [InlineData("stranger", "is not signed by an authority in")]
    public async Task TheBrokerMustShowACertificateThatHolds(string server, string? complaint)
    {
        _pki.ServerFiles = server switch
        {
            "expired" => _pki.ExpiredServer,
            "future" => _pki.FutureServer,
            "wrong-host" => _pki.WrongHostServer,
            "revoked" => _pki.RevokedServer,
            _ => _pki.Server,
        };
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Pki = _pki });
        var options = Options(broker, _pki.IssueClient("belt-1"));
        if (server == "stranger") options.CaFile = _pki.StrangerCaFile;
        await using var link = await new TestLink(options).StartAsync();
        if (complaint is null) await link.ConnectedAsync();
        else await link.LostAsync(complaint);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OfTheListsInAFileThatOfTheIssuerCounts(bool isRevoked)
    {
        _pki.ServerFiles = isRevoked ? _pki.RevokedServer : _pki.Server;
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Pki = _pki });
        var options = Options(broker, _pki.IssueClient("belt-1"));
        options.CrlFile = _pki.CrlsFile;
        await using var link = await new TestLink(options).StartAsync();
        if (isRevoked) await link.LostAsync("is revoked by");
        else await link.ConnectedAsync();
    }

    [Fact]
    public async Task AFileWithoutAListLetsNoBrokerPass()
    {
        _pki.ServerFiles = _pki.Server;
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Pki = _pki });
        var options = Options(broker, _pki.IssueClient("belt-1"));
        options.CrlFile = _pki.CaFile;
        await using var link = await new TestLink(options).StartAsync();
        await link.LostAsync("Check Mqtt:CaFile, Mqtt:CrlFile");
    }

    [Theory]
    [InlineData("expired")]
    [InlineData("revoked")]
    [InlineData("stranger")]
    [InlineData("none")]
    public async Task ADeviceThatTheBrokerDoesNotBelieveIsTold(string client)
    {
        _pki.ServerFiles = _pki.Server;
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Pki = _pki });
        var options = Options(broker, client switch { "expired" => _pki.ExpiredClient, "revoked" => _pki.RevokedClient, _ => _pki.StrangerClient });
        if (client == "none") (options.CertificateFile, options.KeyFile) = ("", "");
        await using var link = await new TestLink(options).StartAsync();
        await link.LostAsync(client == "none" ? "without a user name" : "the certificate in");
    }

    [Fact]
    public async Task ABrokerThatTrustsTheRootAloneIsShownTheIntermediate()
    {
        // Without a revocation list, which Mosquitto would want of each authority.
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings
        {
            ConfigurationOf = port => $"""
                listener {port} localhost
                cafile {_pki.CaFile}
                certfile {_pki.Server.Certificate}
                keyfile {_pki.Server.Key}
                require_certificate true
                use_identity_as_username true
                """,
        });
        await using var link = await new TestLink(Options(broker, _pki.IssueClientOfAnIntermediate("belt-1"))).StartAsync();
        await link.ConnectedAsync();
    }

    [Fact]
    public async Task ADeviceSeesAndWritesItsOwnSubtreeOnly()
    {
        _pki.ServerFiles = _pki.Server;
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Pki = _pki, Acl = MosquittoSettings.DocumentedAcl("demo") });
        await using var operatorProbe = await MqttProbe.ConnectAsync(broker, MqttProbe.WithCertificate(_pki, _pki.IssueClient("operator")), "dunlin/v1/demo/#");
        await using var intruder = await MqttProbe.ConnectAsync(
            broker, MqttProbe.WithCertificate(_pki, _pki.IssueClient("belt-2")), "#", "dunlin/v1/demo/belt-1/#", "dunlin/v1/demo/+/status");
        await using var link = await new TestLink(Options(broker, _pki.IssueClient("belt-1"))).StartAsync();
        await operatorProbe.NextAsync(link.Topics.Status);
        await operatorProbe.PublishAsync(link.Topics.Desired, "secret", retain: true);
        await intruder.PublishAsync(link.Topics.Status, "forged");
        await operatorProbe.PublishAsync("dunlin/v1/demo/belt-2/desired", "for the other");
        await intruder.NextAsync("dunlin/v1/demo/belt-2/desired");
        Assert.All(intruder.Messages, m => Assert.Equal("dunlin/v1/demo/belt-2/desired", m.Topic));
        Assert.DoesNotContain(operatorProbe.Messages, m => m.Text == "forged");
    }

    private Telemetry.Link.MqttOptions Options(MosquittoBroker broker, CertificateFiles files) => new()
    {
        Host = broker.Host, Port = broker.Port, Tls = true, CaFile = _pki.CaFile, CrlFile = _pki.CrlFile,
        CertificateFile = files.Certificate, KeyFile = files.Key, KeepAliveSeconds = 2,
    };

    public sealed class Authority : IDisposable
    {
        public TestPki Pki { get; } = new();

        public void Dispose() => Pki.Dispose();
    }
}
