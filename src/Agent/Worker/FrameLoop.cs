using System.Diagnostics;
using Dunlin.Agent.Children;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Cameras;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Pipeline;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Agent.Worker;

/// <summary>Camera thread, frame loop and reports of one worker. A thread that ends with an exception ends the process: the supervisor starts another.</summary>
internal sealed class FrameLoop : IDisposable
{
    private readonly SupervisorPipe _pipe;
    private readonly CancellationTokenSource _stop = new();
    private readonly NewestFrameSlot _slot = new();
    private readonly ICamera _camera;
    private readonly FramePipeline _pipeline;
    private readonly WindowRecorder _window;
    private readonly Reports _reports;
    private readonly List<Thread> _threads = [];
    private ModelSession _session;

    private FrameLoop(Load load, ModelSession session, SupervisorPipe pipe, TimeProvider time)
    {
        (_pipe, _session) = (pipe, session);
        _camera = Camera.Open(load.Camera, time, new StandardErrorLogger());
        var interval = load.Camera.Unpaced ? (TimeSpan?)null : TimeSpan.FromSeconds(1 / load.Camera.FramesPerSecond);
        _window = new WindowRecorder(load.Session.ClassCount, interval, time);
        _pipeline = new FramePipeline(_slot, session, load.Session.Input, load.Loop, new ResultSender(pipe, load.Loop, _window, number => _reports!.Changed(number)), time);
        _reports = new Reports(pipe, _camera, _pipeline, _window, load.Loop, time);
    }

    /// <summary>Makes the session and starts the threads.</summary>
    /// <exception cref="ModelLoadException">The session could not be made.</exception>
    public static FrameLoop Start(Load load, SupervisorPipe pipe, TimeProvider time)
    {
        var started = time.GetTimestamp();
        var loop = new FrameLoop(load, ModelSession.Create(load.Session), pipe, time);
        pipe.Send(new Loaded { Contender = load.Session.Contender, LoadMilliseconds = time.GetElapsedTime(started).TotalMilliseconds });
        loop._reports.Begin(load.Session);
        loop.Run("frames", () => loop._pipeline.Run(loop._stop.Token));
        loop.Run("camera", () => loop._camera.Run(loop._slot, loop._stop.Token));
        loop.Run("reports", () => loop._reports.Run(loop._stop.Token));
        return loop;
    }

    /// <summary>Makes another session beside the one that serves and changes over; if it cannot be made, says so and goes on with the old one.</summary>
    public void Swap(SessionSpec spec)
    {
        var started = Stopwatch.GetTimestamp();
        ModelSession session;
        try
        {
            session = ModelSession.Create(spec);
        }
        catch (ModelLoadException e)
        {
            _pipe.Send(new ChildError { Code = e.Code, Detail = e.Message });
            return;
        }

        _window.Fit(spec.ClassCount);
        _reports.Announce(spec);
        _pipeline.Swap(session, spec.Input).Dispose();
        _reports.Changed(spec.Number);
        _pipe.Send(new Loaded { Contender = spec.Contender, LoadMilliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds });
        _session = session;
    }

    /// <inheritdoc cref="Reports.SetWindow"/>
    public void SetWindow(TimeSpan length) => _reports.SetWindow(length);

    /// <summary>Sends the next frame that is classified, on a thread of its own.</summary>
    public void SendSnapshot() => _ = SendSnapshotAsync();

    /// <summary>Ends the threads and waits for them as long as the supervisor is patient.</summary>
    public void Dispose()
    {
        var patience = TimeSpan.FromMilliseconds(500);
        _stop.Cancel();
        // The camera and the loop end with the frame in hand. What a thread that does not end still uses, the process's exit frees.
        if (!_threads.TrueForAll(thread => thread.Join(patience))) return;
        _pipeline.Dispose();
        _session.Dispose();
        _camera.Dispose();
        _slot.Dispose();
        _stop.Dispose();
    }

    private async Task SendSnapshotAsync()
    {
        var frame = await _pipeline.CopyNextFrameAsync();
        try
        {
            _pipe.Send(Snapshots.Of(frame));
        }
        catch (MessageException)
        {
            // The supervisor is gone, so nobody needs it.
        }
    }

    private void Run(string name, Action body)
    {
        var thread = new Thread(() =>
        {
            try
            {
                body();
            }
            catch (Exception e) when (!_stop.IsCancellationRequested)
            {
                Fail(name, e);
            }
            catch (Exception) when (_stop.IsCancellationRequested)
            {
                // What fails because it was stopped is no failure.
            }
        })
        { IsBackground = true, Name = name };
        _threads.Add(thread);
        thread.Start();
    }

    private void Fail(string name, Exception e)
    {
        Console.Error.WriteLine($"The {name} loop of the worker failed: {e.Message}");
        try
        {
            _pipe.Send(new ChildError { Code = $"worker.{name}", Detail = $"The {name} loop failed: {e.Message}" });
        }
        catch (MessageException)
        {
            // The supervisor is gone, so nobody needs to know.
        }

        Environment.Exit(e is OutOfMemoryException ? ChildExitStatus.OutOfMemory : ChildExitStatus.Failed);
    }
}
