namespace Dunlin.Telemetry.Link;

/// <summary>What the broker refused and has not taken since, each with the reason. Thread-safe.</summary>
/// <param name="options">Name the broker.</param>
internal sealed class Refusals(MqttOptions options)
{
    private readonly Lock _gate = new();
    private readonly OrderedDictionary<string, string> _reasons = [];
    private volatile string? _problem;

    /// <summary>All of it in sentences, one for each reason; null: nothing is refused.</summary>
    public string? Problem => _problem;

    public bool Has(string what)
    {
        lock (_gate) return _reasons.ContainsKey(what);
    }

    /// <returns>False: that was known, and the first reason stays.</returns>
    public bool Add(string what, string reason)
    {
        lock (_gate) return _reasons.TryAdd(what, reason) && Tell();
    }

    public void Remove(string what)
    {
        // For every message that is acknowledged.
        if (_problem is null) return;
        lock (_gate)
        {
            if (_reasons.Remove(what)) Tell();
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _reasons.Clear();
            Tell();
        }
    }

    private bool Tell()
    {
        var sentences = _reasons.GroupBy(refused => refused.Value, refused => refused.Key)
            .Select(group => $"Broker {ConnectFailure.Address(options)} refuses {string.Join(", ", group)}: {group.Key}.");
        _problem = _reasons.Count == 0 ? null : string.Join(" ", sentences);
        return true;
    }
}
