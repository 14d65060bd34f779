using System.Globalization;
using Dunlin.Agent.Children;
using Dunlin.Agent.Sandboxing;
using Dunlin.Agent.Tests.Children;
using Dunlin.TestKit;
using Dunlin.TestKit.Logs;

namespace Dunlin.Agent.Tests.Sandboxing;

/// <summary>Row 34 of the promises: a child in an attacker's hands, in the sandbox of our children.</summary>
public sealed class HostileChildTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task EverythingThatAHostileChildTriesIsDenied()
    {
        var allowed = Path.Combine(_folder.Sub("cache"), "model.onnx");
        await File.WriteAllTextAsync(allowed, "weights", TestContext.Current.CancellationToken);
        var secret = _folder.File("device.key", "key"u8.ToArray());
        var rules = new SandboxRules { Read = [_folder.Sub("cache")], DataByteCount = 1L << 30 };
        var log = new Lines<ChildProcess>();
        var start = TestChildren.Host(_folder, "Dunlin.HostileChild.dll").Worker(rules, null);
        start = start with
        {
            Messages = false,
            Arguments = [.. start.Arguments, allowed, secret, _folder.Sub("other-release"), Environment.ProcessId.ToString(CultureInfo.InvariantCulture)],
        };
        await using var child = await ChildProcess.StartAsync(start, null, log, TimeProvider.System);
        var exit = await child.Exited.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        Assert.True(exit.Code == ChildExitCodes.Stopped, exit.Reason);
        var says = log.All.Select(line => line.Replace("worker says: ", "", StringComparison.Ordinal)).ToArray();
        Assert.Equal("end", says[^1]);
        string[] permitted = ["read what is allowed", "load a library", "start a thread", "choose its own cores"];
        foreach (var name in permitted) Assert.Contains($"{name}: SUCCEEDED", says);
        Assert.Equal(permitted.Length, says.Count(line => line.EndsWith("SUCCEEDED", StringComparison.Ordinal)));
        Assert.Equal(23, says.Count(line => line.Contains(": denied", StringComparison.Ordinal)));
        if (says.FirstOrDefault(line => line.StartsWith("missing: ", StringComparison.Ordinal)) is { } missing) Assert.Skip($"This kernel: {missing}");
    }

    public void Dispose() => _folder.Dispose();
}
