namespace Dunlin.Runtime.ModelCheck;

/// <summary>Checks one NodeProto: an allowed operator, without a graph inside, whose inputs are made before it.</summary>
internal sealed class NodeWalk(WalkState walk, AttributeWalk attributes)
{
    private const int InputField = 1, OutputField = 2, NameField = 3, OperatorField = 4, AttributeField = 5, DocField = 6, DomainField = 7, OverloadField = 8, MetadataField = 9;
    private const string Message = "a node";
    private const string StandardDomain = "ai.onnx";

    /// <summary>Domains whose operators ONNX Runtime's CPU provider has and that a classifier may use.</summary>
    private static readonly string[] Domains = ["", StandardDomain, "com.microsoft"];

    private static readonly string[] ControlFlow = ["If", "Loop", "Scan", "SequenceMap"];

    private readonly List<string> _inputs = [];
    private readonly List<string> _outputs = [];

    /// <summary>Domains that nodes use; <c>ai.onnx</c> is the same as the empty one.</summary>
    public HashSet<string> UsedDomains { get; } = new(StringComparer.Ordinal);

    public void Walk(in WireField field)
    {
        walk.Require(field, WireType.Bytes, Message);
        walk.Count(++walk.NodeCount, CheckLimits.Nodes, field, "nodes");
        _inputs.Clear();
        _outputs.Clear();
        var once = new Once();
        var (name, operation, domain, attributeCount) = ("", "", "", 0);
        walk.Node = $"node {walk.NodeCount}";
        while (walk.Reader.Next(field.End, out var part))
        {
            if (part.Number is NameField or OperatorField or DocField or DomainField or OverloadField) once.Take(walk, part);
            switch (part.Number)
            {
                case InputField:
                    End(_inputs, part);
                    break;
                case OutputField:
                    End(_outputs, part);
                    break;
                case NameField:
                    name = walk.Name(part, Message);
                    break;
                case OperatorField:
                    operation = walk.Name(part, Message);
                    break;
                case DomainField:
                    domain = walk.Name(part, Message);
                    break;
                case AttributeField:
                    walk.Count(++attributeCount, CheckLimits.AttributesPerNode, part, "attributes of one node");
                    attributes.Walk(part);
                    break;
                case OverloadField when part.Type == WireType.Bytes && part.End == walk.Reader.Position:
                    break;
                case OverloadField:
                    throw walk.Refuse(CheckCodes.Function, part.Start, "the node calls an overload of a function", "inline the model's functions");
                case DocField or MetadataField:
                    walk.SkipText(part, Message);
                    break;
                default:
                    throw walk.Unknown(part, Message);
            }

            if (part.Number is NameField or OperatorField or OutputField) walk.Node = Describe(name, operation);
        }

        Allow(field, domain == StandardDomain ? "" : domain, operation);
        Connect(field, operation);
        walk.Node = null;
    }

    private void End(List<string> ends, in WireField field)
    {
        ends.Add(walk.Name(field, Message));
        walk.Count(_inputs.Count + _outputs.Count, CheckLimits.EndsPerNode, field, "inputs and outputs of one node");
    }

    private void Allow(in WireField field, string domain, string operation)
    {
        if (operation.Length == 0) throw walk.Refuse(CheckCodes.Operator, field.Start, "the node has no operator", "export the model again");
        if (!Domains.Contains(domain, StringComparer.Ordinal))
            throw walk.Refuse(CheckCodes.Domain, field.Start, $"the operator is of the domain {Shown.Name(domain)}", "use operators of ONNX and com.microsoft only, and inline functions");
        if (ControlFlow.Contains(operation, StringComparer.Ordinal))
            throw walk.Refuse(CheckCodes.ControlFlow, field.Start, $"the operator {operation} decides at run time what runs", "export the model without If, Loop and Scan");
        var listed = domain.Length == 0 ? operation : $"{domain}:{operation}";
        if (!walk.Operators.Contains(listed))
            throw walk.Refuse(CheckCodes.Operator, field.Start, $"the operator {Shown.Name(listed)} is none of those that the manifest lists", "pack the release again with dunlin-optimizer, so that the manifest lists its operators");
        UsedDomains.Add(domain);
    }

    private void Connect(in WireField field, string operation)
    {
        if (_outputs.Count == 0) throw walk.Refuse(CheckCodes.Graph, field.Start, "the node has no output", "export the model again");
        var (sum, largest) = (0.0, 1.0);
        foreach (var input in _inputs)
        {
            // An optional input that is left out has the empty name.
            if (input.Length == 0) continue;
            walk.Names.Use(input);
            var growth = walk.Names.Growth(input);
            (sum, largest) = (sum + growth, Math.Max(largest, growth));
        }

        var made = OperatorGrowth.Of(operation, Math.Max(sum, 1), largest);
        if (made > CheckLimits.Growth)
            throw walk.Refuse(CheckCodes.Growth, field.Start, $"the node's output could hold more than {CheckLimits.Growth} copies of a tensor", "do not concatenate tensors with themselves");
        foreach (var output in _outputs)
        {
            if (output.Length > 0 && !walk.Names.Make(output, made))
                throw walk.Refuse(CheckCodes.Graph, field.Start, $"the value {Shown.Name(output)} is made twice, or used before it is made", "export the model again with its nodes in topological order");
        }

        if (walk.Names.IsFull) throw walk.Refuse(CheckCodes.Limit, field.Start, $"the graph's names have more than {CheckLimits.NamesByteCount} bytes", "give the parts of the graph shorter names");
    }

    private string Describe(string name, string operation)
    {
        var what = name.Length > 0 ? Shown.Name(name) : _outputs.Count > 0 ? $"that makes {Shown.Name(_outputs[0])}" : $"{walk.NodeCount}";
        return operation.Length > 0 ? $"node {what} (operator {Shown.Name(operation)})" : $"node {what}";
    }
}
