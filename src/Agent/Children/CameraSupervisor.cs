using System.ComponentModel;
using Dunlin.Agent.Cameras;
using Dunlin.Agent.Sandboxing;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Children;

/// <summary>
/// Keeps a camera program (ffmpeg, rpicam-vid) running and owns the pipe that it writes into, so that the worker's end lives
/// on while the program, or the worker, is started again. What the program says goes to the log without credentials.
/// </summary>
public sealed partial class CameraSupervisor : IAsyncDisposable
{
    private const int SetPipeSize = 1031;
    private const int PipeByteCount = 1024 * 1024;

    private static readonly string[] ProgramFolders = ["/usr/local/bin", "/usr/bin", "/bin"];
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(0.5), LongestDelay = TimeSpan.FromSeconds(30), CalmTime = TimeSpan.FromSeconds(30);

    private readonly ChildHost _host;
    private readonly CameraProgram _program;
    private readonly ILogger<CameraSupervisor> _logger;
    private readonly TimeProvider _time;
    private readonly Backoff _backoff = new(FirstDelay, LongestDelay, CalmTime);
    private readonly Descriptor _read;
    private readonly Descriptor _write;
    private ChildProcess? _child;

    public CameraSupervisor(ChildHost host, CameraProgram program, ILogger<CameraSupervisor> logger, TimeProvider time)
    {
        (_host, _program, _logger, _time) = (host, program, logger, time);
        (_read, _write) = Descriptor.Pipe();
        // The default of 64 KiB is less than a frame; a user's pipes may be limited, then frames take more wake-ups.
        _ = Libc.Fcntl(_read.Number, SetPipeSize, PipeByteCount);
    }

    /// <summary>The read end, for <see cref="WorkerAssignment.CameraPipe"/>; owned by this object.</summary>
    public int ReadDescriptor => _read.Number;

    /// <summary>The running program, or null between two.</summary>
    public int? ProcessId => Volatile.Read(ref _child)?.Id;

    /// <summary>
    /// Runs the program, again and again, until cancelled; then it is gone. <paramref name="closed"/> is called with the reason
    /// whenever it ended.
    /// </summary>
    public async Task RunAsync(Action<ChildExit>? closed, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var started = _time.GetTimestamp();
            try
            {
                var exit = await LiveAsync(cancellationToken);
                closed?.Invoke(exit);
                var delay = _backoff.Next(_time.GetElapsedTime(started));
                LogCameraEnded(exit.Reason, delay.TotalMilliseconds);
                await Task.Delay(delay, _time, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>Starts the program anew: it runs, but no frames come.</summary>
    public void Restart(string reason) => Volatile.Read(ref _child)?.Kill(ChildExitCodes.Hung, reason);

    /// <summary>Call after <see cref="RunAsync"/> has returned.</summary>
    public ValueTask DisposeAsync()
    {
        _read.Dispose();
        _write.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<ChildExit> LiveAsync(CancellationToken cancellationToken)
    {
        if (Resolve(_program.FileName) is not { } path)
        {
            return new ChildExit
            {
                Code = ChildExitCodes.NotStarted,
                Reason = $"The camera program '{_program.FileName}' is in none of {string.Join(", ", ProgramFolders)}; install the package that has it.",
            };
        }

        try
        {
            var start = _host.Camera(path, _program.Arguments, _program.StandardInput, new SandboxRules { Read = _program.Read, Foreign = true }, _write.Number);
            await using var child = await ChildProcess.StartAsync(start, null, _logger, _time);
            Volatile.Write(ref _child, child);
            var exit = await child.Exited.WaitAsync(cancellationToken);
            Volatile.Write(ref _child, null);
            return exit;
        }
        catch (Win32Exception e)
        {
            return new ChildExit { Code = ChildExitCodes.NotStarted, Reason = e.Message };
        }
    }

    private static string? Resolve(string name) =>
        Path.IsPathRooted(name)
            ? File.Exists(name) ? name : null
            : ProgramFolders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Reason} The camera program starts again in {DelayMilliseconds:0} ms")]
    private partial void LogCameraEnded(string reason, double delayMilliseconds);
}
