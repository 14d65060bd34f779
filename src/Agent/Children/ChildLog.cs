using System.Text;
using Dunlin.Agent.Cameras;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Children;

/// <summary>A child's output, line by line, to the log: bounded in length and rate, without control characters, credentials or the power to forge a line.</summary>
internal sealed partial class ChildLog(string name, ILogger logger, TimeProvider time)
{
    private const int MaximumLineByteCount = 1024;
    private const int LinesPerPeriod = 60;
    private const int RememberedLines = 5;

    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private readonly byte[] _line = new byte[MaximumLineByteCount];
    private readonly Queue<string> _last = new();
    private int _length;
    private long _periodStart = time.GetTimestamp();
    private int _inPeriod;
    private long _suppressed;

    public IReadOnlyList<string> LastLines => [.. _last];

    public void Append(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (value == (byte)'\n') EndLine();
            else if (_length < MaximumLineByteCount) _line[_length++] = value;
        }
    }

    /// <summary>The child is gone: an unfinished line counts as one.</summary>
    public void End()
    {
        EndLine();
        ReportSuppressed();
    }

    /// <summary>The child was killed, and is still there after <paramref name="wait"/>.</summary>
    public void Held(int id, TimeSpan wait) => LogHeld(name, id, wait.TotalSeconds);

    private void EndLine()
    {
        if (_length == 0) return;
        if (time.GetElapsedTime(_periodStart) >= Period)
        {
            ReportSuppressed();
            _periodStart = time.GetTimestamp();
            _inPeriod = 0;
        }

        var length = _length;
        _length = 0;
        var line = Clean(Encoding.UTF8.GetString(_line, 0, length));
        if (line.Length == 0) return;
        if (_last.Count == RememberedLines) _last.Dequeue();
        _last.Enqueue(line);
        if (_inPeriod++ < LinesPerPeriod) LogOutput(name, line);
        else _suppressed++;
    }

    /// <summary>Control characters become spaces; users, passwords and query strings of URLs go.</summary>
    public static string Clean(string line) =>
        UrlRedaction.Redact(string.Create(line.Length, line, static (span, text) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = char.IsControl(text[i]) || text[i] is '\u2028' or '\u2029' ? ' ' : text[i];
        })).Trim();

    private void ReportSuppressed()
    {
        if (_suppressed == 0) return;
        LogSuppressed(name, _suppressed);
        _suppressed = 0;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Child} says: {Line}")]
    private partial void LogOutput(string child, string line);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Child} wrote {LineCount} more lines, faster than they are logged")]
    private partial void LogSuppressed(string child, long lineCount);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Child} (process {Id}) was killed {Seconds} s ago and has not ended: the kernel holds it, as a driver that hangs does. Nothing takes its place until it ends; see 'cat /proc/{Id}/stack' and 'dmesg', and restart the board if it stays")]
    private partial void LogHeld(string child, int id, double seconds);
}
