using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>
/// An ONNX classifier as a graph that can be edited. It owns a copy of its model. Nodes and tensors are those of ONNX; who
/// changes one in place calls <see cref="Changed"/>, so that producers, consumers and shapes are looked up anew.
/// </summary>
internal sealed class ModelGraph
{
    private Dictionary<string, TensorProto>? _constants;
    private Dictionary<string, NodeProto>? _producers;
    private ILookup<string, NodeProto>? _consumers;
    private ValueShapes? _shapes;

    private ModelGraph(ModelProto model, ModelInput input) => (Model, Input) = (model, input);

    public ModelProto Model { get; }

    /// <summary>The image: its name, and the shape that is reckoned with.</summary>
    public ModelInput Input { get; }

    public string Output => Model.Graph.Output[0].Name;

    /// <summary>Whether the file that it was read from gives its scores in another shape, which devices refuse.</summary>
    public bool HasFlattenedScores { get; private set; }

    /// <summary>Of ONNX's own operators.</summary>
    public long Opset => Model.OpsetImport.First(o => o.Domain is "" or "ai.onnx").Version;

    /// <summary>Each after those it reads from.</summary>
    public IReadOnlyList<NodeProto> Nodes => Model.Graph.Node;

    /// <summary>Shapes of all values at the input's shape.</summary>
    /// <exception cref="InvalidDataException">ONNX Runtime cannot run the graph.</exception>
    public ValueShapes Shapes => _shapes ??= ValueShapes.Measure(Model, Input.Shape);

    /// <summary>Reads, checks and simplifies a model; what it computes stays the same.</summary>
    /// <param name="path">An ONNX file.</param>
    /// <param name="inputShape">Needed where the model leaves more than the batch open.</param>
    /// <exception cref="InvalidDataException">Not an ONNX classifier, or of a form that is not supported; the message says what to do.</exception>
    public static ModelGraph Load(string path, IReadOnlyList<long>? inputShape = null) => Of(ModelFile.Load(path), inputShape);

    /// <inheritdoc cref="Load"/>
    /// <param name="model">Is not changed.</param>
    /// <param name="inputShape">Needed where the model leaves more than the batch open.</param>
    public static ModelGraph Of(ModelProto model, IReadOnlyList<long>? inputShape = null)
    {
        GraphChecks.Require(model);
        var copy = model.Clone();
        var graph = new ModelGraph(copy, ModelInput.Of(copy, inputShape));
        Simplification.Apply(graph);
        graph.HasFlattenedScores = FlatScores.Apply(graph);
        // What ONNX Runtime cannot run is refused here, not later.
        _ = graph.Shapes;
        return graph;
    }

    /// <summary>The tensor of that name; null for what is computed.</summary>
    public TensorProto? Constant(string? name)
    {
        _constants ??= Model.Graph.Initializer.ToDictionary(i => i.Name);
        return name is null ? null : _constants.GetValueOrDefault(name);
    }

    /// <summary>The node that computes a value; null for the input and for constants.</summary>
    public NodeProto? Producer(string value)
    {
        _producers ??= Nodes.SelectMany(n => n.Output.Where(o => o.Length > 0).Select(o => (o, n))).ToDictionary(p => p.o, p => p.n);
        return _producers.GetValueOrDefault(value);
    }

    /// <summary>The nodes that read a value, each once for every time it does.</summary>
    public IEnumerable<NodeProto> Consumers(string value)
    {
        _consumers ??= Nodes.SelectMany(n => n.Input.Select(i => (i, n))).ToLookup(p => p.i, p => p.n);
        return _consumers[value];
    }

    /// <summary>The one node that reads a value, if it is not also the graph's output.</summary>
    public NodeProto? OnlyConsumer(string value) => value != Output && Consumers(value).Take(2).ToList() is [var only] ? only : null;

    /// <summary>Adds or replaces a constant.</summary>
    public void SetConstant(TensorProto tensor)
    {
        if (Constant(tensor.Name) is { } old) Model.Graph.Initializer.Remove(old);
        Model.Graph.Initializer.Add(tensor);
        Changed();
    }

    public void Remove(NodeProto node)
    {
        Model.Graph.Node.Remove(node);
        Changed();
    }

    /// <summary>Takes a node away and lets its readers read another value; the graph's output keeps its name.</summary>
    public void Bypass(NodeProto node, string replacement)
    {
        var value = node.Output[0];
        if (value == Output)
        {
            if (Producer(replacement) is not { } producer) return;
            producer.Output[producer.Output.IndexOf(replacement)] = value;
            (value, replacement) = (replacement, value);
        }

        Model.Graph.Node.Remove(node);
        foreach (var reader in Nodes)
            for (var i = 0; i < reader.Input.Count; i++)
                if (reader.Input[i] == value) reader.Input[i] = replacement;
        Changed();
    }

    /// <summary>Forgets nodes that the output does not depend on, and constants that nobody reads.</summary>
    public void DropUnused()
    {
        Changed();
        var needed = new HashSet<string> { Output };
        for (var i = Nodes.Count - 1; i >= 0; i--)
        {
            if (Nodes[i].Output.Any(needed.Contains)) needed.UnionWith(Nodes[i].Input);
            else Model.Graph.Node.RemoveAt(i);
        }

        for (var i = Model.Graph.Initializer.Count - 1; i >= 0; i--)
            if (!needed.Contains(Model.Graph.Initializer[i].Name)) Model.Graph.Initializer.RemoveAt(i);
        Changed();
    }

    /// <summary>A name for a new value or node that nothing has yet.</summary>
    public string FreshName(string wish)
    {
        var taken = Nodes.SelectMany(n => n.Input.Concat(n.Output).Append(n.Name)).ToHashSet();
        var name = wish;
        for (var i = 2; taken.Contains(name) || Constant(name) is not null; i++) name = $"{wish}.{i}";
        return name;
    }

    /// <summary>Nodes, tensors or names were changed in place.</summary>
    public void Changed()
    {
        (_constants, _producers, _consumers, _shapes) = (null, null, null, null);
        // They would describe what was.
        Model.Graph.ValueInfo.Clear();
    }
}
