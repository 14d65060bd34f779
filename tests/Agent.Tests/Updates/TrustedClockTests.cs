using Dunlin.Agent.Tests.Updates.Fetching;
using Dunlin.Agent.Updates;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Updates;

public sealed class TrustedClockTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, false, true)]
    [InlineData(5, true, false)]
    [InlineData(-1, false, false)]
    [InlineData(-1, true, true)]
    public void TheKernelSaysWhetherItsClockIsSynchronizedAndWhereItMayNotTimesyncdDoes(int kernelState, bool isMarked, bool expected) =>
        Assert.Equal(expected, TrustedClock.IsSynchronized(kernelState, isMarked ? RepositoryFolder.Root + "/README.md" : "/run/none"));

    [Fact]
    public void SignedTimeStaysAtTheEndOfAllTime()
    {
        var time = new FakeTimeProvider(Noon);
        var clock = new TrustedClock(time, Noon, () => false);
        clock.Learn(DateTimeOffset.MaxValue - TimeSpan.FromSeconds(1));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(DateTimeOffset.MaxValue, clock.Now);
        Assert.Equal(DateTimeOffset.MaxValue, clock.ForTls);
        clock.Learn(DateTimeOffset.MaxValue);
        clock.Reset(Noon.AddDays(1));
        Assert.Equal(Noon.AddDays(1), clock.Now);
    }

    [Theory]
    [InlineData(true, 0, 0)]
    [InlineData(true, -10, -1)]
    [InlineData(false, 0, 3 * 365)]
    [InlineData(false, -10, 3 * 365)]
    public void TlsIsJudgedByASynchronizedClockThoughNotBeforeTheBuildAndElseByTheTrustedTime(bool isSynchronized, int clockDays, int expectedDays)
    {
        var clock = new TrustedClock(new FakeTimeProvider(Noon.AddDays(clockDays)), Noon.AddDays(-1), () => isSynchronized);
        clock.Learn(Noon.AddDays(3 * 365));
        Assert.Equal(Noon.AddDays(expectedDays), clock.ForTls);
        Assert.Equal(Noon.AddDays(3 * 365), clock.Now);
    }

    [Fact]
    public async Task ABoardWhoseSignedTimeRanAheadStillReachesABrokerWhereItsClockIsSynchronized()
    {
        using var pki = new TestPki();
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Pki = pki });
        var files = pki.IssueClient("belt-1");
        var options = new MqttOptions
        {
            Host = broker.Host, Port = broker.Port, Tls = true, CaFile = pki.CaFile, CertificateFile = files.Certificate, KeyFile = files.Key, ReconnectSeconds = 1,
        };
        var isSynchronized = false;
        var clock = new TrustedClock(TimeProvider.System, TimeProvider.System.GetUtcNow().AddDays(-1), () => isSynchronized);
        clock.Learn(TimeProvider.System.GetUtcNow().AddYears(3));
        using var setup = new FetchSetup(broker: options);
        setup.Link.TrustedNow = () => clock.ForTls;
        await setup.Link.StartAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => setup.Link.State.Detail.Contains("set this board's clock", StringComparison.Ordinal), "the broker's certificate has expired by signed time");
        isSynchronized = true;
        await Eventually.TrueAsync(() => setup.Link.State.IsConnected, () => $"it is connected; it says: {setup.Link.State.Detail}");
        await setup.Link.StopAsync(TestContext.Current.CancellationToken);
    }
}
