using Dunlin.Runtime.Sessions;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Onnx;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Dunlin.Optimizer.Graph;

/// <summary>
/// Shapes and types of all values of a graph, measured instead of inferred: ONNX Runtime computes the whole graph once on zeros and
/// says what came out, so that they are right for every operator that it knows.
/// </summary>
internal sealed class ValueShapes
{
    private readonly Dictionary<string, long[]> _shapes = [];
    private readonly Dictionary<string, DataType> _types = [];
    private readonly Dictionary<string, TensorProto> _values = [];

    private ValueShapes()
    {
    }

    /// <exception cref="InvalidDataException">The value is no tensor, or not of this graph.</exception>
    public long[] this[string value] => TryGet(value) ?? throw new InvalidDataException($"The shape of '{value}' is not known; it is no tensor of this graph.");

    public long[]? TryGet(string value) => _shapes.GetValueOrDefault(value);

    /// <summary>What a value's elements are; null where it is no tensor, or not of this graph.</summary>
    public DataType? TypeOf(string value) => _types.TryGetValue(value, out var type) ? type : null;

    /// <summary>The contents of one of the values that were asked for.</summary>
    public TensorProto? ContentOf(string value) => _values.GetValueOrDefault(value);

    /// <param name="model">Is not changed.</param>
    /// <param name="inputShape">Of its one input that is no constant.</param>
    /// <param name="contents">Values whose contents are wanted too.</param>
    /// <exception cref="InvalidDataException">ONNX Runtime cannot load or run it; its words are in the message.</exception>
    public static ValueShapes Measure(ModelProto model, IReadOnlyList<long> inputShape, IReadOnlySet<string>? contents = null)
    {
        var probe = model.Clone();
        probe.Graph.ValueInfo.Clear();
        var outputs = probe.Graph.Output.Select(o => o.Name).ToHashSet();
        foreach (var value in probe.Graph.Node.SelectMany(n => n.Output))
            if (value.Length > 0 && outputs.Add(value)) probe.Graph.Output.Add(new ValueInfoProto { Name = value });
        var result = new ValueShapes();
        foreach (var tensor in probe.Graph.Initializer) (result._shapes[tensor.Name], result._types[tensor.Name]) = ([.. tensor.Dims], (DataType)tensor.DataType);
        try
        {
            result.Run(probe, inputShape, contents);
        }
        catch (OnnxRuntimeException error)
        {
            throw new InvalidDataException($"ONNX Runtime cannot run the model at {string.Join('×', inputShape)}: {error.Message}", error);
        }

        return result;
    }

    private void Run(ModelProto probe, IReadOnlyList<long> inputShape, IReadOnlySet<string>? contents)
    {
        _ = OnnxEnvironment.Instance;
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        using var session = new InferenceSession(probe.ToByteArray(), options);
        var (name, input) = session.InputMetadata.Single(i => probe.Graph.Initializer.All(t => t.Name != i.Key));
        (_shapes[name], _types[name]) = ([.. inputShape], (DataType)input.ElementDataType);
        using var image = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, input.ElementDataType, [.. inputShape]);
        image.GetTensorMutableRawData().Clear();
        using var run = new RunOptions();
        using var results = session.Run(run, [name], [image], session.OutputNames);
        foreach (var (value, result) in session.OutputNames.Zip(results))
        {
            if (result.OnnxType != OnnxValueType.ONNX_TYPE_TENSOR) continue;
            var type = result.GetTensorTypeAndShape();
            (_shapes[value], _types[value]) = (type.Shape, (DataType)type.ElementDataType);
            if (contents?.Contains(value) == true && type.ElementDataType != TensorElementType.String)
                _values[value] = Tensors.Of(value, _types[value], result.GetTensorMutableRawData(), type.Shape);
        }
    }
}
