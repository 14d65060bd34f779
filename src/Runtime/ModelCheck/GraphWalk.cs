using Dunlin.Contracts.Manifests;

namespace Dunlin.Runtime.ModelCheck;

/// <summary>Checks the GraphProto of a model, and that its input and output are the manifest's.</summary>
internal sealed class GraphWalk
{
    private const int NodeField = 1, NameField = 2, InitializerField = 5, DocField = 10, InputField = 11, OutputField = 12, ValueField = 13, QuantizationField = 14,
        SparseField = 15, MetadataField = 16;

    private const string Message = "the graph";

    private readonly WalkState _walk;
    private readonly TensorWalk _tensors;
    private readonly ValueWalk _values;
    private readonly NodeWalk _nodes;

    public GraphWalk(WalkState walk)
    {
        (_walk, _tensors, _values) = (walk, new TensorWalk(walk), new ValueWalk(walk));
        _nodes = new NodeWalk(walk, new AttributeWalk(walk, _tensors));
    }

    public IReadOnlySet<string> UsedDomains => _nodes.UsedDomains;

    public void Walk(in WireField field)
    {
        var once = new Once();
        while (_walk.Reader.Next(field.End, out var part))
        {
            if (part.Number is NameField or DocField) once.Take(_walk, part);
            switch (part.Number)
            {
                case NodeField:
                    _nodes.Walk(part);
                    break;
                case InitializerField:
                    Initializer(part);
                    break;
                case InputField:
                    Input(_values.Walk(part, "input"));
                    break;
                case OutputField:
                    Output(_values.Walk(part, "output"));
                    break;
                case ValueField:
                    _ = _values.Walk(part, "value");
                    break;
                case NameField or DocField or QuantizationField or MetadataField:
                    _walk.SkipText(part, Message);
                    break;
                case SparseField:
                    throw _walk.Refuse(CheckCodes.Sparse, part.Start, "the graph has a sparse initializer", "use dense tensors");
                default:
                    throw _walk.Unknown(part, Message);
            }

            if (_walk.Names.IsFull) throw _walk.Refuse(CheckCodes.Limit, part.Start, $"the graph's names have more than {CheckLimits.NamesByteCount} bytes", "give the parts of the graph shorter names");
        }

        Finish(field.End);
    }

    private void Initializer(in WireField field)
    {
        var name = _tensors.Walk(field);
        if (name.Length == 0) throw _walk.Refuse(CheckCodes.Graph, field.Start, "an initializer has no name", "export the model again");
        if (!_walk.Names.AddInitializer(name))
            throw _walk.Refuse(CheckCodes.Graph, field.Start, $"the initializer {Shown.Name(name)} stands twice", "export the model again");
    }

    private void Input(in DeclaredValue value)
    {
        _walk.Names.AddInput(value.Name);
        var spec = _walk.Claims.Input;
        if (value.Name != spec.Tensor) return;
        Span<long> expected = spec.Layout == TensorLayout.Nchw
            ? [1, spec.ChannelCount, spec.Height, spec.Width]
            : [1, spec.Height, spec.Width, spec.ChannelCount];
        Compare(CheckCodes.Input, "input", value, spec.ElementType == ElementType.Float32 ? TensorTypes.Float32 : TensorTypes.UInt8, expected);
        if (value.Shape is null) throw Differs(CheckCodes.Input, "input", value, "has no shape");
    }

    private void Output(in DeclaredValue value)
    {
        _walk.Names.AddOutput(value.Name);
        // A model may leave the shape to be inferred; then the session is checked when it is made.
        if (value.Name == _walk.Claims.Output.Tensor) Compare(CheckCodes.Output, "output", value, TensorTypes.Float32, [1, _walk.Claims.ClassCount]);
    }

    private void Compare(string code, string kind, in DeclaredValue value, int type, ReadOnlySpan<long> expected)
    {
        if (value.ElementType != type)
            throw Differs(code, kind, value, $"is of {TensorTypes.Find(value.ElementType)?.Name ?? "no type"}, and must be of {TensorTypes.Find(type)!.Value.Name}");
        if (value.Shape is not { } shape) return;
        var fits = shape.Rank == expected.Length;
        for (var i = 0; fits && i < expected.Length; i++) fits = shape[i] == Shape.Open || shape[i] == expected[i];
        if (!fits) throw Differs(code, kind, value, $"has the shape {shape}, and must have [{string.Join(" × ", expected.ToArray())}]");
    }

    private ModelRefusedException Differs(string code, string kind, in DeclaredValue value, string how) =>
        _walk.Refuse(code, value.Position, $"the {kind} {Shown.Name(value.Name)} {how}", "make the manifest and the ONNX file of this variant agree");

    private void Finish(long end)
    {
        var names = _walk.Names;
        var (input, output) = (_walk.Claims.Input.Tensor, _walk.Claims.Output.Tensor);
        if (_walk.NodeCount == 0) throw _walk.Refuse(CheckCodes.Graph, end, "the graph has no nodes", "check that this is the right file");
        if (names.FirstAmbiguous() is { } ambiguous)
            throw _walk.Refuse(CheckCodes.Graph, end, $"the value {Shown.Name(ambiguous)} has more than one source", "export the model again");
        if (names.FirstDangling() is { } dangling)
            throw _walk.Refuse(CheckCodes.Graph, end, $"the value {Shown.Name(dangling)} is used, and neither a node nor an initializer makes it", "export the model again");
        var inputs = names.Inputs.Where(name => !names.IsInitializer(name)).ToList();
        if (inputs is not [var one] || one != input)
            throw _walk.Refuse(CheckCodes.Input, end, $"the graph must have the one input {Shown.Name(input)} but has {List(inputs)}", "make the manifest and the ONNX file of this variant agree");
        if (names.Outputs is not [var only] || only != output)
            throw _walk.Refuse(CheckCodes.Output, end, $"the graph must have the one output {Shown.Name(output)} but has {List(names.Outputs)}", "make the manifest and the ONNX file of this variant agree");
        if (!names.IsMade(output))
            throw _walk.Refuse(CheckCodes.Output, end, $"no node makes the output {Shown.Name(output)}", "export the model again");
    }

    private static string List(IReadOnlyList<string> names) =>
        names.Count == 0 ? "none" : string.Join(", ", names.Take(4).Select(Shown.Name)) + (names.Count > 4 ? $" and {names.Count - 4} more" : "");
}
