using System.Net.Sockets;
using Dunlin.Fleet.Serving;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Waiting;
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
