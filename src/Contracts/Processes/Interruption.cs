using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Dunlin.Contracts.Processes;

/// <summary>
/// What Ctrl-C and SIGTERM do to a program: the first cancels <see cref="Token"/>, so that it ends in order; one that still
/// runs after <see cref="Grace"/>, or is told a second time, ends at once with <see cref="ExitCode"/>.
/// </summary>
/// <remarks>In place of System.CommandLine's own handler, which throws at a second signal and hears none while a command works synchronously.</remarks>
public sealed partial class Interruption : IDisposable
{
    /// <summary>As a shell has it for a program that SIGINT has ended.</summary>
    public const int ExitCode = 130;

    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    // coreutils' timeout signals its child, then the child's group: twice for one wish. No person is as quick.
    private static readonly TimeSpan SameWish = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stopped = new();
    private readonly TerminalMode _terminal = new();
    private readonly PosixSignalRegistration[] _signals;
    private readonly ITimer _grace;
    private long _first;

    public Interruption()
    {
        _grace = TimeProvider.System.CreateTimer(_ => EndAtOnce(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _signals = [PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal), PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal)];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stopped.Token;

    public void Dispose()
    {
        foreach (var signal in _signals) signal.Dispose();
        _grace.Dispose();
        _stopped.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        var now = Stopwatch.GetTimestamp();
        var first = Interlocked.CompareExchange(ref _first, now, 0);
        if (first != 0)
        {
            if (Stopwatch.GetElapsedTime(first, now) > SameWish) EndAtOnce();
            return;
        }

        _grace.Change(Grace, Timeout.InfiniteTimeSpan);
        _stopped.Cancel();
    }

    /// <summary>Not by exit(3), which tears libtorch down below its threads: that ended in a segmentation fault.</summary>
    private void EndAtOnce()
    {
        _terminal.Restore();
        End(ExitCode);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void End(int code);
}
