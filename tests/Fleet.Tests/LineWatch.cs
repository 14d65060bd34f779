namespace Dunlin.Fleet.Tests;

/// <summary>Counts the lines of a running command that have some words, and tells of the first. For one writer at a time.</summary>
internal sealed class LineWatch(string wanted) : StringWriter
{
    private readonly TaskCompletionSource _found = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;

    public Task Found => _found.Task;

    public int Count => Volatile.Read(ref _count);

    public override void WriteLine(string? value)
    {
        if (value?.Contains(wanted, StringComparison.Ordinal) != true) return;
        Interlocked.Increment(ref _count);
        _found.TrySetResult();
    }
}
