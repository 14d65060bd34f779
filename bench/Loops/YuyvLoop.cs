using System.Globalization;
using System.IO.Pipes;
using Dunlin.Agent.Children;
using Dunlin.Bench.Material;
using Dunlin.Bench.Measuring;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Pipeline;
using Dunlin.Runtime.Sessions;
using Dunlin.Telemetry.Board;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Liveness;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Bench.Loops;

/// <summary>
/// A YUYV camera's frames through the sequential frame loop to the broker, in one process: synthesized frames, read where
/// they are as those of a driver, results as JSON through a pipe to a thread that parses and publishes them as the supervisor does.
/// </summary>
internal sealed class YuyvLoop(Workshop workshop, string variant, int port, string topicDevice)
{
    public const string Verb = "yuyv-loop";
    private const int DistinctFrameCount = 16;
    private static readonly Digest Release = Digest.Of("bench"u8);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var material = new MobileNet(workshop);
        var identity = new LinkIdentity(new Topics("bench", topicDevice), "bench", "bench", new BoardSensors().ReadHardware());
        using var link = new MqttLink(identity, new MqttOptions { Host = "127.0.0.1", Port = port }, new LoopTicks(TimeProvider.System), TimeProvider.System, NullLogger<MqttLink>.Instance);
        await link.StartAsync(cancellationToken);
        await link.WaitConnectedAsync(cancellationToken);

        using var session = ModelSession.Create(material.Saved(variant));
        using var slot = new NewestFrameSlot();
        using var toSupervisor = new AnonymousPipeServerStream(PipeDirection.Out);
        using var fromWorker = new AnonymousPipeClientStream(PipeDirection.In, toSupervisor.ClientSafePipeHandle);
        using var observer = new PipeObserver(toSupervisor);
        // The pipeline's times are CPU times of its thread: here they are only summed.
        using var pipeline = new FramePipeline(slot, session, MobileNet.Input, new LoopSpec { Overlap = false, WindowMilliseconds = 10_000 }, observer, new ThreadClock());
        Start(() => Play(material.Photographs.YuyvFrames(DistinctFrameCount), slot, cancellationToken));
        Start(() => PublishAll(fromWorker, link, material.Labels));
        pipeline.Run(cancellationToken);
        Console.WriteLine(observer.OutsideMilliseconds.ToString("R", CultureInfo.InvariantCulture));
    }

    private static void Start(Action body) => new Thread(() => UntilCancelled(body)) { IsBackground = true }.Start();

    private static void UntilCancelled(Action body)
    {
        try
        {
            body();
        }
        catch (OperationCanceledException)
        {
            // The loop's owner ends it.
        }
    }

    private static void Play(IReadOnlyList<byte[]> frames, NewestFrameSlot slot, CancellationToken cancellationToken)
    {
        var buffers = frames.Select(Shown).ToArray();
        for (var number = 0L; !cancellationToken.IsCancellationRequested; number++)
        {
            slot.WaitUntilTaken(cancellationToken);
            var frame = buffers[number % buffers.Length];
            (frame.Format, frame.Width, frame.Height, frame.Stride) = (PixelFormat.Yuyv, Photographs.FrameWidth, Photographs.FrameHeight, Photographs.FrameWidth * 2);
            (frame.Number, frame.CapturedNanoseconds) = (number, TimeProvider.System.GetTimestamp());
            slot.Publish(frame);
        }
    }

    private static FrameBuffer Shown(byte[] pixels)
    {
        var frame = new FrameBuffer(static () => { });
        frame.Show(pixels);
        return frame;
    }

    private void PublishAll(AnonymousPipeClientStream pipe, MqttLink link, IReadOnlyList<string> labels)
    {
        var buffer = new MessageBuffer();
        while (pipe.Read(buffer.Free) is > 0 and var count)
        {
            buffer.Advance(count);
            while (buffer.TakeFromChild() is FrameResult result) link.PublishResult(MessageOf(result, labels));
        }
    }

    private Classification MessageOf(FrameResult result, IReadOnlyList<string> labels) => new()
    {
        Schema = Classification.CurrentSchema,
        BootId = "bench",
        Sequence = result.Frame,
        Frame = result.Frame,
        Captured = TimeProvider.System.GetUtcNow(),
        Release = Release,
        Variant = variant,
        Scores = [.. result.Scores.Select(score => new Score(score.Index, labels[score.Index], score.Probability))],
        LatencyMilliseconds = result.LatencyMilliseconds,
    };

    private sealed class PipeObserver(AnonymousPipeServerStream pipe) : IFrameObserver, IDisposable
    {
        private readonly MessageWriter _writer = new();
        private readonly long _started = TimeProvider.System.GetTimestamp();
        private TimeSpan _before;
        private long _inferenceNanoseconds;
        private int _count;

        /// <summary>CPU time of the process a frame, after a warm-up, without that of the inference.</summary>
        public double OutsideMilliseconds => ((Environment.CpuUsage.TotalTime - _before).TotalMilliseconds - _inferenceNanoseconds / 1e6) / _count;

        public void OnResult(in FrameOutcome outcome)
        {
            var now = TimeProvider.System.GetTimestamp();
            if (_count == 0 && TimeProvider.System.GetElapsedTime(_started, now) < Settings.WarmUp) _before = Environment.CpuUsage.TotalTime;
            else (_count, _inferenceNanoseconds) = (_count + 1, _inferenceNanoseconds + outcome.InferenceNanoseconds);
            pipe.Write(_writer.WriteResult(outcome.Number, outcome.CapturedNanoseconds, (now - outcome.CapturedNanoseconds) / 1e6, outcome.Scores).Span);
        }

        public void Dispose() => _writer.Dispose();
    }
}
