using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Tests.Children;

/// <summary>A log that keeps its lines.</summary>
internal sealed class Lines<T> : ILogger<T>
{
    public ConcurrentQueue<string> All { get; } = new();

    /// <summary>Called with each line before whoever wrote it goes on.</summary>
    public Action<string>? Heard { get; set; }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Hear(formatter(state, exception));

    private void Hear(string line)
    {
        All.Enqueue(line);
        Heard?.Invoke(line);
    }
}
