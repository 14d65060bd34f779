using System.Diagnostics;
using System.Globalization;
using System.IO.Pipes;
using Dunlin.Agent.Cameras;
using Dunlin.Agent.Configuration;
using Dunlin.Contracts.Messages;
using Dunlin.Runtime.Cameras;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Agent.Tests.Cameras;

/// <summary>What supervisor and worker do together: one pipe whose write end goes to one camera process after another.</summary>
internal sealed class PipedCamera : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly AnonymousPipeServerStream _pipe = new(PipeDirection.Out);
    private readonly CancellationTokenSource _stop = new();
    private readonly NewestFrameSlot _slot = new();
    private readonly CameraProgram _command;
    private readonly ICamera _camera;
    private readonly Thread _thread;
    private Process? _process;

    public PipedCamera(string source, CameraOptions options)
    {
        var parsed = Sources.Of(source);
        _command = CameraProcess.For(parsed, options)!;
        var reader = int.Parse(_pipe.GetClientHandleAsString(), CultureInfo.InvariantCulture);
        _pipe.ClientSafePipeHandle.SetHandleAsInvalid();
        _camera = Camera.Open(parsed.ToSpec(options, reader), TimeProvider.System, NullLogger.Instance);
        _thread = new Thread(() => _camera.Run(_slot, _stop.Token)) { IsBackground = true };
        _thread.Start();
    }

    public CameraHealth Health => _camera.Health;

    /// <summary>What the process wrote to its standard error.</summary>
    public string Errors { get; private set; } = "";

    public void StartProcess()
    {
        // The test's own descriptor, opened anew: whoever writes gets the same pipe.
        var output = $"/proc/{Environment.ProcessId}/fd/{_pipe.SafePipeHandle.DangerousGetHandle()}";
        var start = new ProcessStartInfo("/bin/sh", ["-c", "out=$1; shift; exec \"$@\" > \"$out\"", "sh", output, _command.FileName, .. _command.Arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) => Errors += line.Data;
        _process.BeginErrorReadLine();
        if (_command.StandardInput is { } script) _process.StandardInput.Write(script);
        _process.StandardInput.Close();
    }

    public void KillProcess()
    {
        _process!.Kill();
        WaitForExit();
    }

    /// <summary>And for its last words.</summary>
    public void WaitForExit()
    {
        Assert.True(_process!.WaitForExit(Deadline), "the camera process did not end");
        _process.WaitForExit();
    }

    /// <summary>Takes so many frames; each is a whole JPEG image.</summary>
    /// <param name="count">How many.</param>
    /// <param name="size">All are of this size, after what the pipe may still hold of a process before; null: of any.</param>
    public void Take(int count, (int Width, int Height)? size = null)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        var frame = 0;
        while (frame < count)
        {
            FrameBuffer? taken;
            try
            {
                taken = _slot.Take(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"Only {frame} frames of {size} came; {Health}; {Errors}");
                return;
            }

            Assert.True(taken!.Content is [0xFF, 0xD8, .., 0xFF, 0xD9]);
            Assert.True(JpegHeader.TryRead(taken.Content, out var header));
            _slot.Return(taken);
            var isOld = size is { } wanted && wanted != (header.Width, header.Height);
            Assert.False(isOld && frame > 0, $"Of {size}, after {frame} frames of it: {header}");
            if (!isOld) frame++;
        }
    }

    public void Until(Func<CameraHealth, bool> condition) =>
        Assert.True(SpinWait.SpinUntil(() => condition(Health), Deadline), $"the camera stayed at {Health}; {Errors}");

    public void Dispose()
    {
        if (_process is { HasExited: false }) KillProcess();
        _process?.Dispose();
        _stop.Cancel();
        _thread.Join();
        _camera.Dispose();
        _pipe.Dispose();
        _slot.Dispose();
        _stop.Dispose();
    }
}
