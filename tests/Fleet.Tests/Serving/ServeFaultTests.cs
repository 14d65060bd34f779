using System.Diagnostics;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Updates;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Serving;
using Dunlin.Fleet.Signing;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Waiting;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Fleet.Tests.Serving;

/// <summary>What goes wrong beside the broker: the database and the key folder. <c>serve</c> says so, and goes on when it is put right.</summary>
public sealed class ServeFaultTests : IDisposable
{
    private static readonly Passphrase NoPassphrase = new(null, _ => null);
    private readonly Desk _desk = new();
    private readonly Lines<FleetServer> _log = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    private string State => Path.Combine(_desk.Keys, "state");

    private string Root => Path.Combine(_desk.Keys, "root.json");

    [Fact]
    public async Task ARootOutOfReachIsAFailedConnectionWhichIsTriedAgain()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await PrepareAsync();
        await using var serve = await BackgroundServe.StartAsync(_desk, broker);
        await using (var first = await FieldDevice.ConnectAsync(broker, "belt-1")) await first.Probe.NextAsync(first.Topics.Root);
        await broker.KillAsync();
        File.Move(Root, _desk.At("root.json"));
        var before = broker.Log.Length;
        await broker.StartAgainAsync();
        await Eventually.TrueAsync(() => broker.Log[before..].Split("dunlin-fleet-serve-").Length > 2, "it connects");
        File.Move(_desk.At("root.json"), Root);
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-1");
        await device.Probe.NextAsync(device.Topics.Root);
    }

    [Fact]
    public async Task ABeaconThatTheDatabaseFailsIsSentALittleLater()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await PrepareAsync();
        using var ledger = Ledger.Open(State);
        ledger.AddDevice("belt-1", _time.GetUtcNow());
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-1");
        await using var server = Start(broker, ledger);
        await Eventually.TrueAsync(() => Passed(50) && Beacons(device) == 1, "the first beacon");
        Change("ALTER TABLE device RENAME TO gone");
        _time.Advance(FleetServer.BeaconInterval);
        await Eventually.TrueAsync(() => _log.Errors.Any(line => line.Contains("no such table: device", StringComparison.Ordinal)), "the fault is logged");
        Change("ALTER TABLE gone RENAME TO device");
        // Far from another hour.
        for (var second = 0; second < 600 && Beacons(device) == 1; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
        await Eventually.TrueAsync(() => Beacons(device) > 1, "the beacon that failed");
    }

    [Fact]
    public async Task AnEndThatTheDatabaseDoesNotTakeIsNotedLater()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var bundle = await PrepareAsync();
        Assert.Equal(0, await _desk.RunAsync("push", bundle.Path, "--to", "belt-1", "belt-2", "--source", "mqtt", "--keys", _desk.Keys, "--broker", broker.Address));
        using var ledger = Ledger.Open(State);
        await using FieldDevice first = await FieldDevice.ConnectAsync(broker, "belt-1"), second = await FieldDevice.ConnectAsync(broker, "belt-2");
        await using var server = Start(broker, ledger);
        await server.WaitConnectedAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        Change("CREATE TRIGGER full BEFORE UPDATE ON directive BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END");
        await first.EndAsync(UpdateState.Committed, await first.NextAsync());
        await Eventually.TrueAsync(() => _log.Errors.Any(line => line.Contains("database or disk is full", StringComparison.Ordinal)), "the fault is logged");
        Change("DROP TRIGGER full");
        await second.EndAsync(UpdateState.RolledBack, await second.NextAsync());
        await Eventually.TrueAsync(() => Passed(500) && ledger.Newest("belt-1") is [{ Result: UpdateState.Committed }], "the first end is noted");
        await Eventually.TrueAsync(() => ledger.Newest("belt-2") is [{ Result: UpdateState.RolledBack }], "and the second");
    }

    [Fact]
    public async Task BlobsAreAnsweredAgainAfterTheDatabaseFailed()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var bundle = await PrepareAsync();
        Assert.Equal(0, await _desk.RunAsync("publish", bundle.Path, "mqtt", "--keys", _desk.Keys));
        using var ledger = Ledger.Open(State);
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-1");
        await using var server = Start(broker, ledger);
        await Eventually.TrueAsync(() => Passed(50) && device.Probe.Messages.Any(message => message.Topic == device.Topics.Root), "it is connected");
        Change("ALTER TABLE blob RENAME TO gone");
        // More than there are workers.
        for (var i = 0; i < 20; i++) Assert.Null(await device.TryAskAsync(bundle.ReleaseId, 0, 100, TimeSpan.FromMilliseconds(20)));
        await Eventually.TrueAsync(() => _log.Errors.Count(line => line.Contains("no such table: blob", StringComparison.Ordinal)) >= 20, "the faults are logged");
        Change("ALTER TABLE gone RENAME TO blob");
        Assert.Equal(100, (await device.TryAskAsync(bundle.ReleaseId, 0, 100, Eventually.Patience))?.Length);
    }

    [Fact]
    public async Task AFaultOfTheDatabaseIsToldToWhoAsksServe()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var bundle = await PrepareAsync();
        await using var serve = await BackgroundServe.StartAsync(_desk, broker);
        Change("CREATE TRIGGER full BEFORE INSERT ON directive BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END");
        Assert.Equal(73, await _desk.RunAsync("push", bundle.Path, "--to", "belt-1", "--source", "mqtt", "--keys", _desk.Keys, "--broker", broker.Address));
        Assert.Contains("database or disk is full", _desk.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OutOfDescriptorsServeKeepsWhoAsksWaiting()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var bundle = await PrepareAsync();
        var start = new ProcessStartInfo(Path.ChangeExtension(typeof(FleetCommand).Assembly.Location, null), ["serve", "--keys", _desk.Keys, "--broker", broker.Address]) { RedirectStandardError = true };
        // .NET ends a process ("Out of memory.") that has no descriptors for a thread which its pool starts: the only one of this pool is there before, as is what a first push loads.
        (start.Environment["DOTNET_ThreadPool_ForceMaxWorkerThreads"], start.Environment["DOTNET_TieredCompilation"]) = ("1", "0");
        using var serve = Process.Start(start)!;
        var said = new System.Collections.Concurrent.ConcurrentQueue<string?>();
        serve.ErrorDataReceived += (_, line) => said.Enqueue(line.Data);
        try
        {
            serve.BeginErrorReadLine();
            await Eventually.TrueAsync(() => File.Exists(Path.Combine(State, "serve.sock")), "it listens");
            string[] push = ["push", bundle.Path, "--to", "belt-1", "--source", "mqtt", "--keys", _desk.Keys, "--broker", broker.Address];
            Assert.Equal(0, await _desk.RunAsync(push));
            await Tool.SucceedAsync("prlimit", $"--pid={serve.Id}", "--nofile=3:");
            var pushing = _desk.RunAsync(push);
            await Assert.ThrowsAsync<TimeoutException>(() => pushing.WaitAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken));
            Assert.False(serve.HasExited, string.Join('\n', said));
            await Tool.SucceedAsync("prlimit", $"--pid={serve.Id}", "--nofile=1024:");
            Assert.True(await pushing == 0, _desk.Errors);
        }
        finally
        {
            serve.Kill();
        }
    }

    [Fact]
    public async Task ServeEndsWithWhatEndedOneOfItsLoops()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await PrepareAsync();
        using StringWriter output = new(), errors = new();
        var setup = new FleetSetup(_desk.Keys, State, new MqttOptions { Host = broker.Host, Port = broker.Port }, NoPassphrase, new ClockWithoutHours());
        var serving = ServeCommand.RunAsync(setup, new Speaker(output, errors, false), TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<NotSupportedException>(() => serving.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken));
    }

    public void Dispose() => _desk.Dispose();

    private async Task<Bundle> PrepareAsync()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        return await _desk.SignedBundleAsync();
    }

    private FleetServer Start(MosquittoBroker broker, Ledger ledger)
    {
        var server = new FleetServer(new ServerKeys(KeyFolder.Open(_desk.Keys), NoPassphrase), ledger, new PublishedBlobs(State),
            new MqttOptions { Host = broker.Host, Port = broker.Port }, "serve", _time, _log);
        server.Start();
        return server;
    }

    private bool Passed(int milliseconds)
    {
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        return true;
    }

    private void Change(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(State, Ledger.FileName)};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static int Beacons(FieldDevice device) => device.Probe.Messages.Count(message => message.Topic == device.Topics.Fresh);

    /// <summary>Whoever wants to be woken after an hour finds a defect.</summary>
    private sealed class ClockWithoutHours : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            dueTime >= TimeSpan.FromHours(1) ? throw new NotSupportedException("No hours.") : base.CreateTimer(callback, state, dueTime, period);
    }
}
