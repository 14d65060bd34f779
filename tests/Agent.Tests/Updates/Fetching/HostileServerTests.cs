using Dunlin.Agent.Configuration;
using Dunlin.Agent.Updates.Fetching;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Servers;

namespace Dunlin.Agent.Tests.Updates.Fetching;

[Collection(nameof(AloneInTheProcess))]
public sealed class HostileServerTests
{
    private static readonly FetchLimits SoonTooSlow = FetchSetup.Impatient with { SlowWindow = TimeSpan.FromSeconds(1.2) };
    private readonly SampleBlob _blob = new(500_000);

    [Theory]
    [InlineData("200 OK")]
    [InlineData("200 OK\r\nContent-Length: 500000")]
    [InlineData("206 Partial Content\r\nContent-Range: bytes 0-499999/500000")]
    public async Task AnEndlessAnswerIsReadToTheManifestsLengthAndNoFurther(string head)
    {
        var sent = 0L;
        await using var server = new ScriptedServer(async (_, stream, cancellationToken) =>
        {
            await ScriptedServer.HeadAsync(stream, head, cancellationToken);
            await stream.WriteAsync(_blob.Content, cancellationToken);
            for (var junk = new byte[65536]; ; sent += junk.Length) await stream.WriteAsync(junk, cancellationToken);
        });
        using var setup = new FetchSetup();
        var before = PeakMemory.Reset();
        await setup.SucceedAsync(_blob, FetchSetup.Http(server.Address));
        Assert.InRange(setup.ReceivedByteCount, 500_000, 500_000);
        Assert.InRange(sent, 0, 16_000_000);
        Assert.InRange(PeakMemory.ByteCount() - before, long.MinValue, 32 << 20);
    }

    [Fact]
    public async Task EndlessNonsenseIsLeftAfterFewChunksEachTime()
    {
        await using var server = new ScriptedServer(async (_, stream, cancellationToken) =>
        {
            await ScriptedServer.HeadAsync(stream, "200 OK", cancellationToken);
            for (var junk = new byte[65536]; ;) await stream.WriteAsync(junk, cancellationToken);
        });
        using var setup = new FetchSetup();
        var result = await setup.FetchAsync(_blob, FetchSetup.Http(server.Address));
        Assert.Equal(FetchCodes.DigestMismatch, result.Code);
        Assert.InRange(setup.ReceivedByteCount, 0, 2 * 8 * 65536);
        Assert.Empty(Directory.GetFiles(setup.Layout.Blobs));
    }

    [Theory]
    [InlineData("200 OK\r\nContent-Length: 500001", "500001 bytes")]
    [InlineData("200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 500000", "encoded")]
    [InlineData("206 Partial Content\r\nContent-Range: bytes 65536-499999/500000", "another range")]
    [InlineData("206 Partial Content\r\nContent-Range: bytes 0-9/900000", "900000 bytes")]
    [InlineData("206 Partial Content", "another range")]
    [InlineData("204 No Content", "answers 204")]
    [InlineData("302 Found\r\nLocation: file:///etc/shadow", "no HTTP address")]
    [InlineData("302 Found\r\nLocation: /blobs/again", "redirects more than 5 times")]
    [InlineData("302 Found\r\nLocation: //", "answers 302")]
    [InlineData("302 Found\r\nLocation: http://[", "answers 302")]
    public async Task AnAnswerAgainstTheRulesIsRefusedTwiceAndSaidSo(string head, string said)
    {
        await using var server = new ScriptedServer(async (_, stream, cancellationToken) => await ScriptedServer.HeadAsync(stream, head, cancellationToken));
        using var setup = new FetchSetup();
        var result = await setup.FetchAsync(_blob, FetchSetup.Http(server.Address));
        Assert.Equal(FetchCodes.SourcesExhausted, result.Code);
        Assert.Contains(said, result.Detail, StringComparison.Ordinal);
        Assert.Equal(0, setup.ReceivedByteCount);
    }

    [Fact]
    public async Task HeadersWithoutEndAreCutOff()
    {
        var sent = 0L;
        await using var server = new ScriptedServer(async (_, stream, cancellationToken) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nX: "u8.ToArray(), cancellationToken);
            for (var junk = Enumerable.Repeat((byte)'x', 65536).ToArray(); ; sent += junk.Length) await stream.WriteAsync(junk, cancellationToken);
        });
        await using var good = ScriptedServer.Serving(_blob.Content);
        using var setup = new FetchSetup();
        await setup.SucceedAsync(_blob, FetchSetup.Http(server.Address), FetchSetup.Http(good.Address));
        // What the sockets' buffers take, and not what is sent until patience ends.
        Assert.InRange(sent, 0, 16_000_000);
        Assert.Contains(setup.Log.All, line => line.Contains("ConfigurationLimitExceeded", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ATrickleIsGivenUpAndTheOtherSourceServes()
    {
        await using var trickle = Trickle();
        await using var good = ScriptedServer.Serving(_blob.Content);
        using var setup = new FetchSetup(limits: SoonTooSlow);
        await setup.SucceedAsync(_blob, FetchSetup.Http(trickle.Address), FetchSetup.Http(good.Address));
        Assert.Contains(setup.Log.All, line => line.Contains("less than 1024 bytes/s", StringComparison.Ordinal));
    }

    [Fact]
    public async Task NothingButTricklesEndsTheFetch()
    {
        await using var trickle = Trickle();
        using var setup = new FetchSetup(limits: SoonTooSlow with { Patience = TimeSpan.FromSeconds(4) });
        var result = await setup.FetchAsync(_blob, FetchSetup.Http(trickle.Address));
        Assert.Equal(FetchCodes.TooSlow, result.Code);
    }

    [Fact]
    public async Task ALinkThatStandsStillNowAndThenEndsNoFetch()
    {
        var asked = 0;
        await using var server = new ScriptedServer(async (request, stream, cancellationToken) =>
        {
            var (first, last) = request.Range!.Value;
            var part = _blob.Content.AsMemory((int)first, (int)(last - first + 1));
            await ScriptedServer.HeadAsync(stream, $"206 Partial Content\r\nContent-Range: bytes {first}-{last}/500000", cancellationToken);
            await stream.WriteAsync(++asked is 2 or 3 ? default : asked < 5 ? part[..70_000] : part, cancellationToken);
            if (asked < 5) await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        });
        using var setup = new FetchSetup(limits: FetchSetup.Impatient with { SlowWindow = TimeSpan.FromSeconds(0.6) });
        await setup.SucceedAsync(_blob, FetchSetup.Http(server.Address));
        Assert.InRange(asked, 5, 8);
    }

    [Fact]
    public async Task ASourceThatBreaksTheRulesNowAndThenAndServesBetweenIsAskedAgain()
    {
        var asked = 0;
        await using var server = new ScriptedServer(async (request, stream, cancellationToken) =>
        {
            var (first, last) = request.Range!.Value;
            if (++asked % 2 == 0)
            {
                // A portal in between, which wants to be clicked away.
                await ScriptedServer.HeadAsync(stream, "200 OK\r\nContent-Length: 10", cancellationToken);
                return;
            }

            await ScriptedServer.HeadAsync(stream, $"206 Partial Content\r\nContent-Range: bytes {first}-{last}/500000", cancellationToken);
            await stream.WriteAsync(_blob.Content.AsMemory((int)first, (int)Math.Min(last - first + 1, 140_000)), cancellationToken);
        });
        using var setup = new FetchSetup();
        await setup.SucceedAsync(_blob, FetchSetup.Http(server.Address));
        Assert.InRange(asked, 7, 9);
    }

    [Fact]
    public async Task TheWholeTimeIsLimitedToo()
    {
        await using var slow = new ScriptedServer(async (request, stream, cancellationToken) =>
        {
            var (first, last) = request.Range!.Value;
            await ScriptedServer.HeadAsync(stream, $"206 Partial Content\r\nContent-Range: bytes {first}-{last}/500000", cancellationToken);
            for (var at = (int)first; at < last; at += 1000)
            {
                await stream.WriteAsync(_blob.Content.AsMemory(at, 1000), cancellationToken);
                await Task.Delay(20, cancellationToken);
            }
        });
        using var setup = new FetchSetup(limits: FetchSetup.Impatient with { TotalTime = TimeSpan.FromSeconds(1.5) });
        var result = await setup.FetchAsync(_blob, FetchSetup.Http(slow.Address));
        Assert.Equal(FetchCodes.Timeout, result.Code);
        Assert.NotEmpty(setup.Store.ListPartial());
    }

    [Fact]
    public async Task AServerThatIsOverloadedIsAskedAgain()
    {
        var asked = 0;
        await using var busy = new ScriptedServer(async (request, stream, cancellationToken) =>
        {
            if (++asked < 4)
            {
                await ScriptedServer.HeadAsync(stream, "503 Service Unavailable\r\nContent-Length: 0", cancellationToken);
                return;
            }
            await ScriptedServer.HeadAsync(stream, "200 OK\r\nContent-Length: 500000", cancellationToken);
            await stream.WriteAsync(_blob.Content, cancellationToken);
        });
        using var setup = new FetchSetup();
        await setup.SucceedAsync(_blob, FetchSetup.Http(busy.Address));
        Assert.Equal(4, asked);
    }

    [Fact]
    public async Task ANamedReasonComesFromEverySource()
    {
        await using var nginx = await NginxServer.StartAsync();
        using var setup = new FetchSetup(new UpdateOptions { AllowedHosts = [$"localhost:{nginx.Port}"] });
        var notFound = await setup.FetchAsync(_blob, FetchSetup.Http(nginx.Address));
        Assert.Equal(FetchCodes.NotFound, notFound.Code);
        var notAllowed = await setup.FetchAsync(_blob, FetchSetup.Http("http://other.example"));
        Assert.Equal(FetchCodes.HostNotAllowed, notAllowed.Code);
        Assert.Contains("'other.example' is not in Updates:AllowedHosts", notAllowed.Detail, StringComparison.Ordinal);
        var both = await setup.FetchAsync(_blob, FetchSetup.Http("http://other.example"), FetchSetup.Http(nginx.Address));
        Assert.Equal(FetchCodes.SourcesExhausted, both.Code);
        Assert.Contains("other.example", both.Detail, StringComparison.Ordinal);
        Assert.Contains("does not have the blob (404)", both.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AReleaseLargerThanAllowedIsNotBegun()
    {
        await using var server = ScriptedServer.Serving(_blob.Content);
        using var setup = new FetchSetup(limits: FetchSetup.Impatient with { MaximumByteCount = 499_999 });
        Assert.Equal(FetchCodes.TooLarge, (await setup.FetchAsync(_blob, FetchSetup.Http(server.Address))).Code);
        Assert.Empty(server.Requests);
    }

    private ScriptedServer Trickle() => new(async (_, stream, cancellationToken) =>
    {
        await ScriptedServer.HeadAsync(stream, "200 OK\r\nContent-Length: 500000", cancellationToken);
        foreach (var value in _blob.Content)
        {
            await stream.WriteAsync(new[] { value }, cancellationToken);
            await Task.Delay(100, cancellationToken);
        }
    });
}
