namespace Dunlin.Runtime.ModelCheck;

/// <summary>
/// The names of a graph's values: who makes them, who uses them, and how many copies of a tensor each may hold. Bounded by
/// <see cref="CheckLimits.NamesByteCount"/>. Nodes come in topological order, but initializers and inputs may come after them.
/// </summary>
internal sealed class NameTable
{
    private readonly Dictionary<string, double> _made = new(StringComparer.Ordinal);
    private readonly HashSet<string> _outer = new(StringComparer.Ordinal);
    private readonly HashSet<string> _initializers = new(StringComparer.Ordinal);
    private readonly List<string> _inputs = [];
    private readonly List<string> _outputs = [];
    private long _byteCount;

    public IReadOnlyList<string> Inputs => _inputs;
    public IReadOnlyList<string> Outputs => _outputs;
    public bool IsFull => _byteCount > CheckLimits.NamesByteCount;

    /// <summary>How many copies of a source tensor the value holds at most, as far as <see cref="OperatorGrowth"/> can tell.</summary>
    public double Growth(string name) => _made.GetValueOrDefault(name, 1);

    public bool IsMade(string name) => _made.ContainsKey(name);

    public bool IsInitializer(string name) => _initializers.Contains(name);

    /// <summary>A node uses the value. One that no node has made yet must turn out to be an input or initializer.</summary>
    public void Use(string name)
    {
        if (!_made.ContainsKey(name) && _outer.Add(name)) Add(name);
    }

    /// <returns>False if the name is made already, or was used before.</returns>
    public bool Make(string name, double growth)
    {
        if (_outer.Contains(name) || !_made.TryAdd(name, growth)) return false;
        Add(name);
        return true;
    }

    /// <returns>False if there is one of this name.</returns>
    public bool AddInitializer(string name)
    {
        if (!_initializers.Add(name)) return false;
        Add(name);
        return true;
    }

    public void AddInput(string name)
    {
        _inputs.Add(name);
        Add(name);
    }

    public void AddOutput(string name)
    {
        _outputs.Add(name);
        Add(name);
    }

    /// <summary>A name that a node uses and nobody makes, or null.</summary>
    public string? FirstDangling()
    {
        var known = new HashSet<string>(_inputs, StringComparer.Ordinal);
        return _outer.FirstOrDefault(name => !known.Contains(name) && !_initializers.Contains(name));
    }

    /// <summary>A name that is input or initializer and also made by a node, or an input twice; or null.</summary>
    public string? FirstAmbiguous()
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        return _inputs.FirstOrDefault(name => !known.Add(name) || _made.ContainsKey(name)) ?? _initializers.FirstOrDefault(_made.ContainsKey);
    }

    private void Add(string name) => _byteCount += name.Length * sizeof(char);
}
