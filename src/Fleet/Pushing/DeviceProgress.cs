using System.Collections.Concurrent;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Serving;

namespace Dunlin.Fleet.Pushing;

/// <summary>How far one device is with its directive. <see cref="State"/> is null until it has said anything of it.</summary>
internal sealed record DeviceProgress(string Device, Digest Directive, long Counter, UpdateState? State = null, string? Reason = null, string? Detail = null, double? Progress = null)
{
    public bool HasEnded => State is UpdateState.Committed or UpdateState.Rejected or UpdateState.RolledBack or UpdateState.Cancelled;
}

/// <summary>
/// The progress of a push, from what devices say. Words that come before the directives are known are kept, since a
/// device may be faster than this program. Thread-safe.
/// </summary>
internal sealed class PushProgress
{
    private const int MaximumEarlyCount = 10_000;
    private readonly ConcurrentDictionary<string, DeviceProgress> _devices = new();
    private readonly Queue<DeviceWord> _early = new();
    private readonly Lock _gate = new();
    private bool _isExpecting;

    /// <summary>Raised for each change, in order.</summary>
    public event Action<DeviceProgress>? Changed;

    public IReadOnlyList<DeviceProgress> Devices => [.. _devices.Values.OrderBy(device => device.Device, StringComparer.Ordinal)];

    public bool HasEnded => _devices.Values.All(device => device.HasEnded);

    /// <summary>The worst ending: 0 if all have committed.</summary>
    public int ExitCode
    {
        get
        {
            var states = _devices.Values.Select(device => device.State).ToList();
            if (states.Contains(UpdateState.RolledBack)) return ExitCodes.RolledBack;
            if (states.Any(state => state is UpdateState.Rejected or UpdateState.Cancelled)) return ExitCodes.Rejected;
            return HasEnded ? ExitCodes.Ok : ExitCodes.Unfinished;
        }
    }

    public void Expect(IReadOnlyList<IssuedReport> directives)
    {
        lock (_gate)
        {
            foreach (var directive in directives) _devices[directive.Device] = new DeviceProgress(directive.Device, directive.Directive, directive.Counter);
            _isExpecting = true;
            while (_early.TryDequeue(out var word)) Apply(word);
        }
    }

    public void Take(Arrival arrival)
    {
        if (DeviceWord.Read(arrival) is not { Directive: not null } word) return;
        lock (_gate)
        {
            if (_isExpecting) Apply(word);
            else if (_early.Count < MaximumEarlyCount) _early.Enqueue(word);
        }
    }

    /// <summary>The ends that another process has noted.</summary>
    public void TakeEnds(Ledger ledger)
    {
        var ends = ledger.Ends();
        lock (_gate)
        {
            foreach (var (device, directive, result, reason, detail) in ends) Apply(new DeviceWord(device, directive, result, reason, detail));
        }
    }

    private void Apply(DeviceWord word)
    {
        if (!_devices.TryGetValue(word.Device, out var device) || word.Directive != device.Directive) return;
        if (device.HasEnded && !(word.IsEnd && device.Detail is null && word.Detail is not null)) return;
        // After the commit a device is idle again; its outcome says how it went.
        if (word.State == UpdateState.Idle) return;
        var changed = device with { State = word.State, Reason = word.Reason, Detail = word.Detail ?? (word.State == device.State ? device.Detail : null), Progress = word.Progress };
        if (changed == device) return;
        _devices[word.Device] = changed;
        Changed?.Invoke(changed);
    }
}
