using System.ComponentModel;
using Dunlin.Agent.Cameras;
using Dunlin.Agent.Sandboxing;
using Dunlin.Contracts.Messages;
using Dunlin.Runtime.Cameras;
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
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(1);

    private readonly ChildHost _host;
    private readonly CameraProgram _program;
    private readonly ILogger<CameraSupervisor> _logger;
    private readonly TimeProvider _time;
    private readonly Backoff _backoff = new(FirstDelay, LongestDelay, CalmTime);
    private readonly Descriptor _read;
    private readonly Descriptor _write;
    private readonly TimeSpan _patience;
    private ChildProcess? _child;
    private long _silentSince;

    /// <param name="host">Gives the sandbox.</param>
    /// <param name="program">What to run.</param>
    /// <param name="patience">A program of which no frame comes for so long hangs.</param>
    /// <param name="logger">Hears how each run ended.</param>
    /// <param name="time">Measures patience and back-off.</param>
    public CameraSupervisor(ChildHost host, CameraProgram program, TimeSpan patience, ILogger<CameraSupervisor> logger, TimeProvider time)
    {
        (_host, _program, _patience, _logger, _time) = (host, program, patience, logger, time);
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
    /// whenever it ended. After the end of a finite one it returns, and the worker finds the pipe's end, as a folder's.
    /// </summary>
    public async Task RunAsync(Action<ChildExit>? closed, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var started = _time.GetTimestamp();
            try
            {
                var exit = await LiveAsync(cancellationToken);
                if (_program.IsFinite && exit.ExitCode == 0)
                {
                    _write.Dispose();
                    LogCameraFinished(_program.FileName);
                    return;
                }

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

    /// <summary>What the worker sees of the program; from any thread.</summary>
    public void Observe(CameraHealth health)
    {
        if (health.State is not CameraStates.Stalled) Volatile.Write(ref _silentSince, 0);
        else Interlocked.CompareExchange(ref _silentSince, _time.GetTimestamp(), 0);
    }

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
            var started = _time.GetTimestamp();
            await using var watch = _time.CreateTimer(_ => Watch(child, started), null, WatchPeriod, WatchPeriod);
            var exit = await child.Exited.WaitAsync(cancellationToken);
            Volatile.Write(ref _child, null);
            return exit;
        }
        catch (Win32Exception e)
        {
            return new ChildExit { Code = ChildExitCodes.NotStarted, Reason = e.Message };
        }
    }

    private void Watch(ChildProcess child, long started)
    {
        var silentSince = Volatile.Read(ref _silentSince);
        if (silentSince == 0 || _time.GetElapsedTime(Math.Max(silentSince, started)) < _patience) return;
        child.Kill(ChildExitCodes.Hung, $"no whole frame came of it for {_patience.TotalSeconds:0} s");
    }

    private static string? Resolve(string name) =>
        Path.IsPathRooted(name)
            ? File.Exists(name) ? name : null
            : ProgramFolders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    [LoggerMessage(Level = LogLevel.Information, Message = "The camera program {Program} has delivered all of its film, which Camera:Repeat=false does not repeat")]
    private partial void LogCameraFinished(string program);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Reason} The camera program starts again in {DelayMilliseconds:0} ms")]
    private partial void LogCameraEnded(string reason, double delayMilliseconds);
}
