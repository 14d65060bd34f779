using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Dunlin.Fleet.Tests.Serving;

/// <summary>Keeps what is logged.</summary>
internal sealed class KeptLog : ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = new();

    public string Errors => string.Join('\n', _lines.Where(line => line.Level == LogLevel.Error).Select(line => line.Text));

    public string Warnings => string.Join('\n', _lines.Where(line => line.Level == LogLevel.Warning).Select(line => line.Text));

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((logLevel, formatter(state, exception)));

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;
}
