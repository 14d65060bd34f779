using System.Threading.Channels;
using Dunlin.Telemetry.Liveness;

namespace Dunlin.Telemetry.Commands;

/// <summary>Does what is put into it, one after the other, and shows meanwhile that it turns. Work that does not end is its author's business.</summary>
internal sealed class CommandLane(LoopTick tick)
{
    public static readonly TimeSpan LongestTickInterval = TimeSpan.FromSeconds(30);

    private readonly Channel<Func<CancellationToken, Task>> _waiting = Channel.CreateBounded<Func<CancellationToken, Task>>(16);

    /// <summary>False: too much waits already.</summary>
    public bool TryAdd(Func<CancellationToken, Task> work) => _waiting.Writer.TryWrite(work);

    /// <summary>Returns when stopped; fails only for a bug.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                using var pause = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                await tick.TickUntilAsync(_waiting.Reader.WaitToReadAsync(pause.Token).AsTask());
                while (!stoppingToken.IsCancellationRequested && _waiting.Reader.TryRead(out var work)) await tick.TickUntilAsync(work(stoppingToken));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping is no error.
        }
        finally
        {
            tick.Retire();
        }
    }
}
