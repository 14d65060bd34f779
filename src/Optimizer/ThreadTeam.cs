using System.Runtime.ExceptionServices;

namespace Dunlin.Optimizer;

/// <summary>The same work on several threads at once, each with its own memory.</summary>
internal static class ThreadTeam
{
    /// <summary>Calls <paramref name="work"/> once on each of so many threads, and waits. The first exception comes through as it was thrown.</summary>
    public static void Run(int threadCount, Action work, CancellationToken cancellationToken)
    {
        try
        {
            Parallel.For(0, threadCount, new ParallelOptions { MaxDegreeOfParallelism = threadCount, CancellationToken = cancellationToken }, _ => work());
        }
        catch (AggregateException error)
        {
            ExceptionDispatchInfo.Throw(error.InnerExceptions[0]);
        }
    }
}
