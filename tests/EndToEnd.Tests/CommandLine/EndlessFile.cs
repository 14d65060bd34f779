using System.Diagnostics;
using Dunlin.TestKit.Machine;

namespace Dunlin.EndToEnd.Tests.CommandLine;

/// <summary>A named pipe whose writer writes nothing: whoever reads it waits.</summary>
internal sealed class EndlessFile : IDisposable
{
    private readonly Process _writer;

    private EndlessFile(string path) =>
        (Path, _writer) = (path, Process.Start(new ProcessStartInfo("sh", ["-c", "exec 3> \"$1\"; echo read; exec sleep 60", "sh", path]) { RedirectStandardOutput = true })!);

    public string Path { get; }

    public static async Task<EndlessFile> OpenAsync(string path)
    {
        await Tool.SucceedAsync("mkfifo", path);
        return new EndlessFile(path);
    }

    /// <summary>Waits for a reader: the writer cannot open the pipe before.</summary>
    public async Task IsReadAsync(CancellationToken cancellationToken) =>
        Assert.Equal("read", await _writer.StandardOutput.ReadLineAsync(cancellationToken));

    public void Dispose()
    {
        _writer.Kill();
        _writer.Dispose();
    }
}
