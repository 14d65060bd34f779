using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Children;

/// <summary>The log of a child: lines on standard error, which the supervisor puts into its own.</summary>
internal sealed class StandardErrorLogger : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel)) Console.Error.WriteLine(exception is null ? formatter(state, null) : $"{formatter(state, exception)}: {exception.Message}");
    }
}
