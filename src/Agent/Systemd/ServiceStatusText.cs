using System.Collections.Concurrent;

namespace Dunlin.Agent.Systemd;

/// <summary>The line that <c>systemctl status</c> shows: what runs, then what is missing. Thread-safe.</summary>
internal sealed class ServiceStatusText
{
    private readonly ConcurrentDictionary<string, string> _problems = new();
    private volatile string _running = "starting";

    /// <summary>What the device does, for example <c>garments 1.0.0, resnet-int8 on CPU</c>.</summary>
    public void SetRunning(string text) => _running = text;

    /// <param name="subject">What it is about, for example <c>camera</c>.</param>
    /// <param name="problem">A sentence, or null when it is solved.</param>
    /// <returns>Whether that is news.</returns>
    public bool SetProblem(string subject, string? problem)
    {
        if (problem is null) return _problems.TryRemove(subject, out _);
        if (_problems.TryGetValue(subject, out var known) && known == problem) return false;
        _problems[subject] = problem;
        return true;
    }

    public IReadOnlyList<string> Problems => [.. _problems.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => p.Value)];

    public string Text => _problems.IsEmpty ? _running : $"{_running}; {string.Join("; ", Problems)}";
}
