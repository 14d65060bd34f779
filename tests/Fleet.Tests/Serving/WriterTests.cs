using System.Net.Sockets;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Serving;
using Dunlin.Fleet.Signing;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Fleet.Tests.Serving;

public sealed class WriterTests
{
    [Fact]
    public void AFullDiskIsNotTakenForAnotherWriter()
    {
        using var disk = TinyDisk.Mount();
        disk.Fill();
        Assert.Contains("No space left", Assert.Throws<IOException>(() => WriterLease.TryTake(disk.Path)).Message, StringComparison.Ordinal);
        disk.Free();
        using var lease = WriterLease.TryTake(disk.Path);
        Assert.NotNull(lease);
        Assert.Null(WriterLease.TryTake(disk.Path));
    }

    [Fact]
    public async Task AWriterThatGetsNoBrokerIsNoneAndGivesTheLeaseBack()
    {
        using var desk = new Desk();
        await desk.RunAsync("keys", "init", desk.Keys);
        await using var broker = MosquittoBroker.Prepare();
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var setup = new FleetSetup(desk.Keys, Path.Combine(desk.Keys, "state"), new MqttOptions { Host = broker.Host, Port = broker.Port }, new Passphrase(null, _ => null), time);
        using var ledger = setup.OpenLedger();
        await using var writer = setup.NewWriter(ledger, NullLogger.Instance);
        var serving = writer.TryServeAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => { time.Advance(TimeSpan.FromSeconds(1)); return serving.IsCompleted; }, "it gives up");
        Assert.Equal(69, (await Assert.ThrowsAsync<FleetException>(() => serving)).ExitCode);
        Assert.False(writer.IsServing);
        using (var lease = WriterLease.TryTake(setup.State)) Assert.NotNull(lease);
        await broker.StartAgainAsync();
        Assert.True(await writer.TryServeAsync(TestContext.Current.CancellationToken));
        Assert.True(File.Exists(Path.Combine(setup.State, "serve.sock")));
    }

    [Fact]
    public async Task AWriterThatTakesCallsAndSaysNothingIsNotWaitedForForever()
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-writer-").FullName;
        try
        {
            using var lease = WriterLease.TryTake(folder);
            using var silent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            silent.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder, "serve.sock")));
            silent.Listen(1);
            var time = new FakeTimeProvider();
            await using var writer = new Writer(folder, () => throw new InvalidOperationException("Another is the writer."), time);
            var asking = writer.AskAsync(new ControlRequest(ControlVerb.Beacon), TestContext.Current.CancellationToken);
            await Eventually.TrueAsync(() => { time.Advance(TimeSpan.FromSeconds(1)); return asking.IsCompleted; }, "it gives up", TimeSpan.FromSeconds(10));
            var refusal = await Assert.ThrowsAsync<FleetException>(() => asking);
            Assert.Equal(75, refusal.ExitCode);
            Assert.Contains("does not answer", refusal.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
