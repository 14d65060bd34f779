using System.Diagnostics;
using System.Globalization;
using System.Text;
using Dunlin.Bench.Measuring;
using Dunlin.TestKit.Brokers;

namespace Dunlin.Bench.Processes;

/// <summary>A program that publishes results to a broker, watched from outside; SIGTERM ends it.</summary>
internal sealed class MeasuredProcess : IAsyncDisposable
{
    private const double IdleShare = 0.8;
    private static readonly TimeSpan FirstResult = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly ResultSubscriber _subscriber;
    private readonly StringBuilder _said = new();
    private readonly long _started;

    private MeasuredProcess(Process process, ResultSubscriber subscriber, long started)
    {
        (_process, _subscriber, _started) = (process, subscriber, started);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>From just before exec to the first result at the subscriber.</summary>
    public double StartMilliseconds { get; private set; }

    /// <summary>Starts the program and waits for its first result.</summary>
    public static async Task<MeasuredProcess> StartAsync(ProcessStartInfo start, MosquittoBroker broker, string topic, CancellationToken cancellationToken)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        var subscriber = await ResultSubscriber.ConnectAsync(broker.Port, topic);
        var started = Stopwatch.GetTimestamp();
        var process = Process.Start(start)!;
        var measured = new MeasuredProcess(process, subscriber, started);
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
        var processes = ProcessUse.Tree(_process.Id);
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
        var worker = ProcessUse.Children(_process.Id)[0];
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
        if (_process.HasExited) return Said();
        using (var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        return Said();
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _process.Dispose();
        _subscriber.Dispose();
    }

    private static double FirstChildCpuSeconds(IReadOnlyList<int> processes) => processes.Count > 1 ? ProcessUse.CpuSeconds([processes[1]]) : 0;

    private async Task WaitForFirstAsync(CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var exit = _process.WaitForExitAsync(ended.Token);
        var first = _subscriber.NextAsync(FirstResult, ended.Token);
        if (await Task.WhenAny(exit, first) == exit)
        {
            await ended.CancelAsync();
            throw new InvalidOperationException($"'{_process.StartInfo.FileName}' ended before its first result. It said:{Environment.NewLine}{Said()}");
        }

        try
        {
            await first;
            StartMilliseconds = Stopwatch.GetElapsedTime(_started, _subscriber.FirstTimestamp).TotalMilliseconds;
        }
        catch (TimeoutException e)
        {
            throw new InvalidOperationException($"'{_process.StartInfo.FileName}' published nothing: {e.Message} It said:{Environment.NewLine}{Said()}", e);
        }
        finally
        {
            await ended.CancelAsync();
        }
    }

    private string Said()
    {
        lock (_said) return _said.ToString();
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_said) _said.AppendLine(line);
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
