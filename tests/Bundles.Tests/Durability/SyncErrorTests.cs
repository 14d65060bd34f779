using Dunlin.Bundles.Durability;
using Dunlin.TestKit;
using Dunlin.TestKit.Machine;

[assembly: AssemblyFixture(typeof(Dunlin.Bundles.Tests.Durability.SyncErrorTests.Child))]

namespace Dunlin.Bundles.Tests.Durability;

/// <summary>
/// This test program starts itself under strace, which makes every fsync fail. Records that .NET 10 reports success
/// all the same, and that our own writes do not.
/// </summary>
public sealed class SyncErrorTests : IDisposable
{
    private const string Probe = "DUNLIN_SYNC_PROBE";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("EIO", 5)]
    [InlineData("ENOSPC", 28)]
    public async Task AnFsyncErrorThatDotnetSwallowsIsThrownByUs(string error, int number)
    {
        Tool.SkipUnlessInstalled("strace");
        File.WriteAllText(_folder["kept"], "old");
        var (code, output) = await Tool.RunAsync("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", $"inject=fsync:error={error}", "-E", $"{Probe}={_folder["kept"]}",
            Environment.ProcessPath!, "-method", $"*{nameof(AnFsyncErrorThatDotnetSwallowsIsThrownByUs)}");
        if (output.Contains("ptrace", StringComparison.Ordinal)) Assert.Skip($"strace may not trace here: {output}");
        Assert.True(output.Contains("dotnet: no error", StringComparison.Ordinal), $"'{code}': .NET reports fsync errors now; see whether DurableFile still needs libc: {output}");
        Assert.Contains($"ours: errno {number}", output, StringComparison.Ordinal);
        Assert.Equal("old", File.ReadAllText(_folder["kept"]));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    /// <summary>Runs before any test: in the child it prints what happened and ends the process.</summary>
    public sealed class Child
    {
        public Child()
        {
            if (Environment.GetEnvironmentVariable(Probe) is not { } path) return;
            Console.Out.WriteLine($"dotnet: {Try(() => FlushByDotnet(path + ".dotnet"))}");
            Console.Out.WriteLine($"ours: {Try(() => DurableFile.Write(path, "new"u8))}");
            Console.Out.Flush();
            File.Delete(path + ".dotnet");
            Environment.Exit(0);
        }

        private static void FlushByDotnet(string path)
        {
            using var file = File.Create(path);
            file.WriteByte(1);
            file.Flush(flushToDisk: true);
        }

        private static string Try(Action action)
        {
            try
            {
                action();
                return "no error";
            }
            catch (IOException e)
            {
                return $"errno {e.HResult}";
            }
        }
    }
}
