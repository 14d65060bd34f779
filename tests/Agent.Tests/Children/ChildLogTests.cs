using System.Text;
using Dunlin.Agent.Children;
using Dunlin.TestKit.Logs;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Children;

public sealed class ChildLogTests
{
    [Fact]
    public void UsersPasswordsAndTokensOfUrlsNeverReachTheLog()
    {
        Assert.Equal("rtsp://***@camera/live?*** failed", ChildLog.Clean("rtsp://me:secret@camera/live?token=secret failed"));
    }

    [Fact]
    public void ALineCannotForgeAnotherAndTooManyAreCounted()
    {
        var lines = new Lines<ChildLog>();
        var time = new FakeTimeProvider();
        var log = new ChildLog("worker", lines, time);
        log.Append("one\u001b[31m\rtwo\n"u8);
        Assert.Equal("worker says: one [31m two", Assert.Single(lines.All));
        for (var i = 0; i < 90; i++) log.Append(Encoding.UTF8.GetBytes($"line {i}\n"));
        Assert.Equal(60, lines.All.Count);
        // What is not logged is known all the same: it may be the last words.
        Assert.Equal("line 89", log.LastLines[^1]);
        time.Advance(TimeSpan.FromMinutes(1));
        log.End();
        Assert.Equal(61, lines.All.Count);
        Assert.Contains("31 more lines", lines.All.Last(), StringComparison.Ordinal);
    }
}
