using Dunlin.Agent.Configuration;
using Dunlin.Agent.Sandboxing;
using Dunlin.Agent.Serving;
using Dunlin.Agent.Tests.Children;
using Dunlin.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Agent.Tests.Sandboxing;

public sealed class LandlockTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(6, false)]
    [InlineData(6, true)]
    [InlineData(5, false)]
    [InlineData(3, false)]
    [InlineData(5, true, "signals")]
    [InlineData(2, false, "truncation")]
    [InlineData(2, true, "truncation", "signals")]
    public void WhatAKernelLacksIsSaid(int abi, bool foreign, params string[] lacks)
    {
        var missing = Landlock.Missing(abi, foreign);
        Assert.Equal(lacks.Length, missing.Count);
        Assert.All(missing.Zip(lacks), pair => Assert.Contains($"ABI {abi} does not cover {pair.Second}", pair.First, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("rtsp://camera/stream", 2, 3)]
    [InlineData("rtsp://camera/stream", 5, 3)]
    [InlineData("rtsp://camera/stream", 6, 2)]
    [InlineData("/var/lib/frames", 5, 2)]
    public async Task WhatTheSandboxOfACameraProgramLacksIsSaidOnceBesideTheWorkers(string source, int abi, int count)
    {
        await using var camera = new CameraFeed(new CameraOptions { Source = source }, TestChildren.Host(_folder), NullLoggerFactory.Instance, TimeProvider.System);
        var ready = TestChildren.Greeting with { MissingSandbox = ["No filter.", .. Landlock.Missing(2, foreign: false)] };
        var missing = camera.MissingSandbox(ready, abi);
        Assert.Equal(ready.MissingSandbox, missing.Take(2));
        Assert.Equal(count, missing.Count);
        if (count > 2) Assert.Contains("a camera program may signal the agent", missing[2], StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();
}
