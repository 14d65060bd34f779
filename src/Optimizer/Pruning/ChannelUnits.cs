namespace Dunlin.Optimizer.Pruning;

/// <summary>
/// Which places along the axes of all values stand or fall together. Every axis of every value has a label at each place; the rules of
/// the operators join labels. A class of joined labels is a unit: it is removed as a whole, or not at all. Not thread-safe.
/// </summary>
/// <param name="shapeOf">By the value's name; null where it is no tensor.</param>
internal sealed class ChannelUnits(Func<string, long[]?> shapeOf)
{
    private readonly Dictionary<(string Value, int Axis), int[]> _labels = [];
    private readonly List<int> _parent = [];
    private readonly Dictionary<int, string> _fixed = [];

    /// <summary>Labels along an axis, one a place. Fresh ones are made at the first call.</summary>
    public int[] Along(string value, int axis)
    {
        if (_labels.TryGetValue((value, axis), out var found)) return found;
        var labels = new int[shapeOf(value)![axis]];
        for (var i = 0; i < labels.Length; i++)
        {
            labels[i] = _parent.Count;
            _parent.Add(labels[i]);
        }

        return _labels[(value, axis)] = labels;
    }

    /// <summary>Labels along an axis that some rule named; null for the others.</summary>
    public int[]? TryAlong(string value, int axis) => _labels.GetValueOrDefault((value, axis));

    /// <summary>Labels of every axis that some rule named.</summary>
    public IEnumerable<(string Value, int Axis, int[] Labels)> Axes => _labels.Select(l => (l.Key.Value, l.Key.Axis, l.Value));

    /// <summary>The unit that a label belongs to.</summary>
    public int UnitOf(int label)
    {
        while (_parent[label] != label) label = _parent[label] = _parent[_parent[label]];
        return label;
    }

    public void Join(int first, int second)
    {
        var (a, b) = (UnitOf(first), UnitOf(second));
        if (a == b) return;
        _parent[b] = a;
        if (_fixed.Remove(b, out var reason)) _fixed.TryAdd(a, reason);
    }

    /// <summary>Place by place.</summary>
    public void Join(int[] first, int[] second)
    {
        if (first.Length != second.Length) throw new ArgumentException($"{first.Length} places cannot be joined with {second.Length}.");
        for (var i = 0; i < first.Length; i++) Join(first[i], second[i]);
    }

    /// <summary>What must stay, and why. The first reason is kept.</summary>
    public void Fix(int[] labels, string reason)
    {
        foreach (var label in labels) _fixed.TryAdd(UnitOf(label), reason);
    }

    /// <summary>Every axis of a value.</summary>
    public void Fix(string value, string reason)
    {
        if (shapeOf(value) is not { } shape) return;
        for (var axis = 0; axis < shape.Length; axis++) Fix(Along(value, axis), reason);
    }

    /// <summary>Why a unit must stay; null if it need not.</summary>
    public string? WhyFixed(int unit) => _fixed.GetValueOrDefault(UnitOf(unit));

    /// <summary>Whether nothing along the axis may be removed, as far as is known yet.</summary>
    public bool IsFixed(int[] labels) => labels.All(l => _fixed.ContainsKey(UnitOf(l)));

    /// <summary>The places that remain when units are removed.</summary>
    public int[] Kept(int[] labels, IReadOnlySet<int> removed)
    {
        var kept = new List<int>(labels.Length);
        for (var i = 0; i < labels.Length; i++)
            if (!removed.Contains(UnitOf(labels[i]))) kept.Add(i);
        return [.. kept];
    }
}
