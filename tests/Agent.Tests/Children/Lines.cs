using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Tests.Children;

/// <summary>A log that keeps its lines.</summary>
internal sealed class Lines<T> : ILogger<T>
{
    public ConcurrentQueue<string> All { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        All.Enqueue(formatter(state, exception));
}
