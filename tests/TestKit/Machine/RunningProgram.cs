using System.Collections.Concurrent;
using System.Diagnostics;

namespace Dunlin.TestKit.Machine;

/// <summary>A program that runs beside a test; what it says is kept. Disposing kills it and whatever children it has left.</summary>
public sealed class RunningProgram : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private bool _isDisposed;

    public RunningProgram(ProcessStartInfo start)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        _process = Process.Start(start)!;
        Id = _process.Id;
        _process.OutputDataReceived += (_, line) => Keep(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(_errors, line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id { get; }

    public string Output => string.Join('\n', _output);

    public string Errors => string.Join('\n', _errors);

    /// <summary>Both streams.</summary>
    public string Log => $"{Output}\n{Errors}";

    public bool HasExited => _isDisposed || _process.HasExited;

    /// <summary>Once it has ended, and until this is disposed of.</summary>
    public int ExitCode => _process.ExitCode;

    /// <param name="name">As <c>kill</c> has it: <c>TERM</c>.</param>
    public void Signal(string name) => ProcessTable.Signal(Id, name);

    /// <summary>Waits for its end; false if that does not come in time.</summary>
    public async Task<bool> EndsAsync(TimeSpan within, CancellationToken cancellationToken = default)
    {
        try
        {
            await _process.WaitForExitAsync(cancellationToken).WaitAsync(within, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>SIGTERM, and the end; false if that does not come in time.</summary>
    public async Task<bool> StopAsync(TimeSpan within)
    {
        if (HasExited) return true;
        Signal("TERM");
        return await EndsAsync(within);
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed) return;
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _isDisposed = true;
        _process.Dispose();
    }

    private static void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null) lines.Enqueue(line);
    }
}
