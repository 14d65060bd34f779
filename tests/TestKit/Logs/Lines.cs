using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Dunlin.TestKit.Logs;

/// <summary>A log that keeps its lines.</summary>
public sealed class Lines<T> : ILogger<T>
{
    public ConcurrentQueue<string> All { get; } = new();

    /// <summary>Those that somebody must act on.</summary>
    public ConcurrentQueue<string> Errors { get; } = new();

    /// <summary>Called with each line before whoever wrote it goes on.</summary>
    public Action<string>? Heard { get; set; }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var line = formatter(state, exception);
        if (logLevel == LogLevel.Error) Errors.Enqueue(line);
        All.Enqueue(line);
        Heard?.Invoke(line);
    }
}
