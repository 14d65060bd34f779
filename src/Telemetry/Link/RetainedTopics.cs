namespace Dunlin.Telemetry.Link;

/// <summary>The newest value of each retained topic, and which of them the broker does not have yet.</summary>
internal sealed class RetainedTopics
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (ReadOnlyMemory<byte> Payload, bool IsDirty)> _values = [];
    private TaskCompletionSource _changed = NewSignal();

    public void Set(string topic, ReadOnlyMemory<byte> payload)
    {
        lock (_gate)
        {
            _values[topic] = (payload, true);
            _changed.TrySetResult();
        }
    }

    /// <summary>After a new connection the broker is told all of it.</summary>
    public void Invalidate() => Invalidate(_ => true);

    /// <summary>The broker is told these again.</summary>
    public void Invalidate(Func<string, bool> isLacking)
    {
        lock (_gate)
        {
            foreach (var topic in _values.Keys.Where(isLacking).ToArray()) _values[topic] = (_values[topic].Payload, true);
            _changed.TrySetResult();
        }
    }

    public (string Topic, ReadOnlyMemory<byte> Payload)? NextDirty()
    {
        lock (_gate)
        {
            foreach (var (topic, value) in _values)
            {
                if (value.IsDirty) return (topic, value.Payload);
            }

            if (_changed.Task.IsCompleted) _changed = NewSignal();
            return null;
        }
    }

    /// <summary>The broker has this payload; a newer one that came meanwhile stays dirty.</summary>
    public void Published(string topic, ReadOnlyMemory<byte> payload)
    {
        lock (_gate)
        {
            if (_values.TryGetValue(topic, out var value) && value.Payload.Equals(payload)) _values[topic] = (payload, false);
        }
    }

    public Task Changed { get { lock (_gate) return _changed.Task; } }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
