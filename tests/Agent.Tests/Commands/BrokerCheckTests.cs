using Dunlin.Agent.Commands;
using Dunlin.Agent.Configuration;
using Dunlin.Bundles.State;
using Dunlin.Contracts.Updates;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Commands;

public sealed class BrokerCheckTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TestPki _pki = new();

    /// <summary>The certificate is younger than the agent, so that the build's time does not do.</summary>
    [Fact]
    public async Task OnABoardWithoutAClockTheBrokersCertificateIsJudgedAtTheLatestSignedTime()
    {
        var files = new StateFiles(new StateLayout(_folder.Sub("state")));
        using var fleet = new Updates.Fleet(_folder.Sub("shelf"), TimeProvider.System.GetUtcNow().AddDays(2));
        files.WriteRoot(fleet.SignedRoot());
        _pki.ServerFiles = _pki.FutureServer;
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Pki = _pki });
        var own = _pki.IssueClient("camera-7");
        var mqtt = new MqttOptions { Host = broker.Host, Port = broker.Port, Tls = true, CaFile = _pki.CaFile, CertificateFile = own.Certificate, KeyFile = own.Key };
        var clock = BrokerCheck.ClockOf(new DeviceOptions { Fleet = Updates.Fleet.Name }, files, new FakeTimeProvider(DateTimeOffset.UnixEpoch));
        Assert.Null(await BrokerCheck.ProblemAsync(mqtt, "camera-7-check", clock, TestContext.Current.CancellationToken));
    }

    public void Dispose()
    {
        _pki.Dispose();
        _folder.Dispose();
    }
}
