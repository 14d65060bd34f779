using System.Diagnostics;
using Dunlin.Bench.Measuring;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;

namespace Dunlin.Bench.Processes;

/// <summary>A program that publishes results to a broker, watched from outside; SIGTERM ends it.</summary>
internal sealed class MeasuredProcess : IAsyncDisposable
{
    private const double IdleShare = 0.8;
    private static readonly TimeSpan FirstResult = TimeSpan.FromSeconds(60);
    private readonly RunningProgram _program;
    private readonly string _name;
    private readonly ResultSubscriber _subscriber;
    private readonly long _started;

    private MeasuredProcess(ProcessStartInfo start, ResultSubscriber subscriber)
    {
        (_name, _subscriber, _started) = (start.FileName, subscriber, Stopwatch.GetTimestamp());
        _program = new RunningProgram(start);
    }

    /// <summary>From just before exec to the first result at the subscriber.</summary>
    public double StartMilliseconds { get; private set; }

    /// <summary>Starts the program and waits for its first result.</summary>
    public static async Task<MeasuredProcess> StartAsync(ProcessStartInfo start, MosquittoBroker broker, string topic, CancellationToken cancellationToken)
    {
        var measured = new MeasuredProcess(start, await ResultSubscriber.ConnectAsync(broker.Port, topic));
        try
        {
            await measured.WaitForFirstAsync(cancellationToken);
            return measured;
        }
        catch
        {
            await measured.DisposeAsync();
            throw;
        }
    }

    /// <summary>What it does in steady state.</summary>
    public async Task<Throughput> MeasureAsync(TimeSpan warmUp, TimeSpan duration, CancellationToken cancellationToken)
    {
        await _subscriber.CountAsync(warmUp, cancellationToken);
        var processes = ProcessUse.Tree(_program.Id);
        var before = ProcessUse.CpuSeconds(processes);
        var first = FirstChildCpuSeconds(processes);
        var (messages, seconds) = await _subscriber.CountAsync(duration, cancellationToken);
        var cpu = ProcessUse.CpuSeconds(processes) - before;
        return new Throughput
        {
            FramesPerSecond = messages / seconds,
            CpuMillisecondsPerFrame = 1000 * cpu / messages,
            WorkerCpuMillisecondsPerFrame = 1000 * (FirstChildCpuSeconds(processes) - first) / messages,
            StartMilliseconds = StartMilliseconds,
            PssMebibytes = ProcessUse.PssMebibytes(processes),
            WorkerPssMebibytes = processes.Count > 1 ? ProcessUse.PssMebibytes([processes[1]]) : 0,
        };
    }

    /// <summary>
    /// What its first child does while there is nothing to do: the share of its CPU time, 0…1, that falls between a result's arrival and
    /// shortly before the next frame. A thread that spins for its next work spins there.
    /// </summary>
    public async Task<double> MeasureIdleAsync(TimeSpan warmUp, TimeSpan duration, TimeSpan interval, CancellationToken cancellationToken)
    {
        await _subscriber.CountAsync(warmUp, cancellationToken);
        var worker = ProcessTable.ChildrenOf(_program.Id)[0];
        await _subscriber.NextAsync(FirstResult, cancellationToken);
        var (begin, first, idle) = (Stopwatch.GetTimestamp(), ProcessUse.ThreadNanoseconds(worker), 0L);
        var atResult = first;
        while (Stopwatch.GetElapsedTime(begin) < duration)
        {
            await Task.Delay(interval * IdleShare, cancellationToken);
            var beforeFrame = ProcessUse.ThreadNanoseconds(worker);
            await _subscriber.NextAsync(FirstResult, cancellationToken);
            idle += beforeFrame - atResult;
            atResult = ProcessUse.ThreadNanoseconds(worker);
        }

        return (double)idle / (atResult - first);
    }

    /// <summary>Ends it; what it said to the end.</summary>
    public async Task<string> EndAsync()
    {
        if (!await _program.StopAsync(TimeSpan.FromSeconds(5))) await _program.DisposeAsync();
        return _program.Log;
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        await _program.DisposeAsync();
        _subscriber.Dispose();
    }

    private static double FirstChildCpuSeconds(IReadOnlyList<int> processes) => processes.Count > 1 ? ProcessUse.CpuSeconds([processes[1]]) : 0;

    private async Task WaitForFirstAsync(CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var exit = _program.EndsAsync(Timeout.InfiniteTimeSpan, ended.Token);
        var first = _subscriber.NextAsync(FirstResult, ended.Token);
        if (await Task.WhenAny(exit, first) == exit)
        {
            await ended.CancelAsync();
            throw new InvalidOperationException($"'{_name}' ended before its first result. It said:{Environment.NewLine}{_program.Log}");
        }

        try
        {
            await first;
            StartMilliseconds = Stopwatch.GetElapsedTime(_started, _subscriber.FirstTimestamp).TotalMilliseconds;
        }
        catch (TimeoutException e)
        {
            throw new InvalidOperationException($"'{_name}' published nothing: {e.Message} It said:{Environment.NewLine}{_program.Log}", e);
        }
        finally
        {
            await ended.CancelAsync();
        }
    }
}

/// <summary>How a measured program started, and its steady state.</summary>
internal sealed record Throughput
{
    /// <summary>Results at the subscriber.</summary>
    public required double FramesPerSecond { get; init; }

    /// <summary>Of all its processes.</summary>
    public required double CpuMillisecondsPerFrame { get; init; }

    /// <summary>Of its first child; 0 without one.</summary>
    public required double WorkerCpuMillisecondsPerFrame { get; init; }

    public required double StartMilliseconds { get; init; }

    /// <summary>Of all its processes, after the measurement.</summary>
    public required double PssMebibytes { get; init; }

    /// <summary>Of its first child; 0 without one.</summary>
    public required double WorkerPssMebibytes { get; init; }
}
