using System.Runtime.InteropServices;
using System.Text;
using Dunlin.Agent.Sandboxing;
using Dunlin.Contracts.Worker;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Children;

/// <summary>
/// A child and its pipes, served by one thread of its own: that thread starts it (so that PR_SET_PDEATHSIG, which is bound
/// to the starting thread, means the supervisor's life), reads its messages and its output, writes to it, and reaps it.
/// A child that does not read, floods, or sends garbage costs bounded memory and is killed.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private const int PumpStackByteCount = 256 * 1024;

    /// <summary>How long a killed child may take to end before it is said that it does not.</summary>
    private static readonly TimeSpan HeldAfter = TimeSpan.FromSeconds(5);

    private readonly ChildStart _start;
    private readonly Action<FromChild>? _received;
    private readonly ChildLog _log;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource<ChildExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private ChildHandle? _handle;
    private Descriptor? _wake;
    private CommandPipe? _commands;
    private ResultPipe? _results;
    private OutputPipe? _output;
    private (string Code, string Reason)? _killed;
    private long _killedAt;
    private bool _isHeld;

    private ChildProcess(ChildStart start, Action<FromChild>? received, ILogger logger, TimeProvider time)
    {
        _start = start;
        _received = received;
        _time = time;
        _log = new ChildLog(start.Name, logger, time);
    }

    /// <summary>The process id; null as soon as the child is reaped, which is a moment before <see cref="Exited"/>.</summary>
    public int? Id => _handle?.Id;

    /// <summary>Completes when the child is gone and reaped and its last messages have been delivered. Never faults but for a bug of ours.</summary>
    public Task<ChildExit> Exited => _exited.Task;

    /// <summary>Starts a child. <paramref name="received"/> is called on the child's own thread for each message, in order, and must not wait;
    /// what it throws ends the child, a <see cref="MessageException"/> with its own words: the message cannot be true.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">It could not be started; the message names program and reason.</exception>
    public static async Task<ChildProcess> StartAsync(ChildStart start, Action<FromChild>? received, ILogger logger, TimeProvider time)
    {
        var child = new ChildProcess(start, received, logger, time);
        new Thread(child.Serve, PumpStackByteCount) { IsBackground = true, Name = start.Name }.Start();
        await child._started.Task;
        return child;
    }

    /// <summary>Queues a message; false if the child is gone. A child that lets too many wait is killed.</summary>
    public bool Send(ToChild message)
    {
        lock (_gate)
        {
            if (_handle is null || _commands is null or { IsClosed: true } || _killed is not null) return false;
            if (_commands.TryAdd(message))
            {
                Wake();
                return true;
            }
        }

        Kill(ChildExitCodes.Hung, $"it left {CommandPipe.MaximumWaiting} messages unread");
        return false;
    }

    /// <summary>Kills the child with SIGKILL; the first reason counts. Does nothing after the end.</summary>
    public void Kill(string code, string reason)
    {
        lock (_gate)
        {
            if (_handle is null) return;
            if (_killed is null)
            {
                _killedAt = _time.GetTimestamp();
                _killed = (code, reason);
            }

            _handle.Signal(Libc.SigKill);
            Wake();
        }
    }

    /// <summary>Kills the child if it is still there and waits until it is reaped.</summary>
    public async ValueTask DisposeAsync()
    {
        Kill(ChildExitCodes.Stopped, "the supervisor was done with it");
        await ((Task)Exited).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Serve()
    {
        try
        {
            Open();
        }
        catch (Exception e)
        {
            Close();
            _started.SetException(e);
            return;
        }

        _started.SetResult();
        Exception? fault = null;
        try
        {
            while (PumpOnce()) { }
        }
        catch (Exception e)
        {
            fault = e;
            Kill(ChildExitCodes.Failed, e.Message);
        }

        ChildExit exit;
        lock (_gate)
        {
            exit = _handle!.Reap(_start.Name, _killed, _log.LastLines);
            _handle = null;
        }

        _log.End();
        Close();
        if (fault is null) _exited.SetResult(exit);
        else _exited.SetException(fault);
    }

    private void Open()
    {
        var given = new List<Descriptor?>();
        try
        {
            using (var input = OpenInput()) given.Add(Descriptor.Duplicate(input.Number));
            var (outputRead, outputWrite) = Descriptor.Pipe();
            _output = new OutputPipe(outputRead, _log);
            outputRead.MakeNonBlocking();
            using (outputWrite)
            {
                given.Add(Descriptor.Duplicate(_start.StandardOutput ?? outputWrite.Number));
                given.Add(Descriptor.Duplicate(outputWrite.Number));
            }

            if (_start.Messages) OpenMessages(given);
            if (_start.Camera is { } camera)
            {
                while (given.Count < ChildDescriptors.Camera) given.Add(null);
                given.Add(Descriptor.Duplicate(camera));
            }

            _wake = OpenWake();
            _handle = new ChildHandle(Spawn.Start(_start, given));
        }
        finally
        {
            foreach (var descriptor in given) descriptor?.Dispose();
        }
    }

    private void OpenMessages(List<Descriptor?> given)
    {
        var (commandRead, commandWrite) = Descriptor.Pipe();
        _commands = new CommandPipe(commandWrite);
        commandWrite.MakeNonBlocking();
        using (commandRead) given.Add(Descriptor.Duplicate(commandRead.Number));
        var (resultRead, resultWrite) = Descriptor.Pipe();
        _results = new ResultPipe(resultRead, _received);
        resultRead.MakeNonBlocking();
        using (resultWrite) given.Add(Descriptor.Duplicate(resultWrite.Number));
    }

    private unsafe Descriptor OpenInput()
    {
        if (_start.StandardInput is not { } text)
        {
            var number = Libc.Open("/dev/null", Libc.CloseOnExec, 0);
            return number < 0 ? throw Descriptor.Failure("open(/dev/null)") : new Descriptor(number);
        }

        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length > ChildStart.MaximumInputByteCount)
            throw new ArgumentException($"The {_start.Name} is to read {bytes.Length} bytes; at most {ChildStart.MaximumInputByteCount} fit.");
        var (read, write) = Descriptor.Pipe();
        using (write)
        {
            fixed (byte* start = bytes)
                if (Libc.Write(write.Number, start, bytes.Length) != bytes.Length) throw Descriptor.Failure("write");
        }

        return read;
    }

    private static Descriptor OpenWake()
    {
        var number = Libc.EventFd(0, Libc.CloseOnExec | Libc.NonBlocking);
        return number < 0 ? throw Descriptor.Failure("eventfd") : new Descriptor(number);
    }

    /// <summary>Waits for whatever comes first and does it; false once the process has ended and its pipes are drained.</summary>
    private unsafe bool PumpOnce()
    {
        const int process = 0, wake = 1, results = 2, output = 3, commands = 4, count = 5;
        var polled = stackalloc PollDescriptor[count];
        polled[process] = new PollDescriptor { Descriptor = _handle!.ProcessDescriptor, Events = Libc.PollIn };
        polled[wake] = new PollDescriptor { Descriptor = _wake!.Number, Events = Libc.PollIn };
        // What a killed child has said is not read, and would wake us without end where the kernel holds it.
        polled[results] = new PollDescriptor { Descriptor = _killed is null ? _results?.Number ?? -1 : -1, Events = Libc.PollIn };
        polled[output] = new PollDescriptor { Descriptor = _output?.Number ?? -1, Events = Libc.PollIn };
        lock (_gate) polled[commands] = new PollDescriptor { Descriptor = _commands?.Wanted ?? -1, Events = Libc.PollOut };
        if (Libc.Poll(polled, count, Patience()) < 0)
            return Marshal.GetLastPInvokeError() == Libc.Interrupted ? true : throw Descriptor.Failure("poll");
        if (polled[wake].Returned != 0)
        {
            ulong counter;
            _ = Libc.Read(_wake.Number, (byte*)&counter, sizeof(ulong));
        }

        var ended = polled[process].Returned != 0;
        // A dead child's last words still lie in its pipes, at most what a pipe holds.
        do
        {
            if (polled[results].Returned != 0 || ended) ReadMessages();
        }
        while (ended && ReadMessages());
        if (polled[output].Returned != 0 || ended) _output?.Read();
        if (polled[commands].Returned == 0 || ended) return !ended;
        lock (_gate) _commands?.Write();
        return true;
    }

    /// <summary>For how many milliseconds to wait; −1: for whatever comes. A killed child that the kernel holds is reported, once.</summary>
    private int Patience()
    {
        long killedAt;
        lock (_gate)
        {
            if (_killed is null || _isHeld) return -1;
            killedAt = _killedAt;
        }

        var left = HeldAfter - _time.GetElapsedTime(killedAt);
        if (left > TimeSpan.Zero) return (int)Math.Ceiling(left.TotalMilliseconds);
        _isHeld = true;
        _log.Held(_handle!.Id, HeldAfter);
        return -1;
    }

    /// <summary>One read and the messages that it completes; false if nothing was there.</summary>
    private bool ReadMessages()
    {
        if (_killed is not null) return false;
        try
        {
            return _results?.Read() == true;
        }
        catch (Exception e)
        {
            // What a message breaks in us is said by a child all the same, which may be in a model's hands.
            Kill(ChildExitCodes.Protocol, e is MessageException ? e.Message : $"its message could not be taken ({e.GetType().Name}: {e.Message})");
            return false;
        }
    }

    private unsafe void Wake()
    {
        ulong one = 1;
        _ = Libc.Write(_wake!.Number, (byte*)&one, sizeof(ulong));
    }

    private void Close()
    {
        lock (_gate)
        {
            _commands?.Dispose();
            _results?.Dispose();
            _output?.Dispose();
            _wake?.Dispose();
            _commands = null;
        }
    }
}
