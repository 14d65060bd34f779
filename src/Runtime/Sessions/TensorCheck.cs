using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Worker;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Dunlin.Runtime.Sessions;

/// <summary>Compares what a model has with what its manifest says; the shapes that it returns have no open dimension.</summary>
internal static class TensorCheck
{
    /// <exception cref="ModelLoadException"><c>model.input</c>: another name, type or shape.</exception>
    public static long[] Input(SessionSpec spec, IReadOnlyDictionary<string, NodeMetadata> inputs)
    {
        var input = spec.Input;
        long[] expected = input.Layout == TensorLayout.Nchw
            ? [1, input.ChannelCount, input.Height, input.Width]
            : [1, input.Height, input.Width, input.ChannelCount];
        var type = input.ElementType == ElementType.Float32 ? TensorElementType.Float : TensorElementType.UInt8;
        if (!inputs.TryGetValue(input.Tensor, out var found) || inputs.Count != 1)
            throw Fail("model.input", spec, $"must have the one input '{input.Tensor}' but has {Names(inputs)}");
        if (!found.IsTensor || found.ElementDataType != type || !Fits(found.Dimensions, expected))
            throw Fail("model.input", spec, $"input '{input.Tensor}' must be {Describe(type, expected)} but is {Describe(found)}");
        return expected;
    }

    /// <exception cref="ModelLoadException"><c>model.output</c>: another name, type or shape.</exception>
    public static long[] Output(SessionSpec spec, IReadOnlyDictionary<string, NodeMetadata> outputs)
    {
        var name = spec.Output.Tensor;
        long[] expected = [1, spec.ClassCount];
        if (!outputs.TryGetValue(name, out var found))
            throw Fail("model.output", spec, $"must have the output '{name}' but has {Names(outputs)}");
        if (!found.IsTensor || found.ElementDataType != TensorElementType.Float || !Fits(found.Dimensions, expected))
            throw Fail("model.output", spec, $"output '{name}' must be {Describe(TensorElementType.Float, expected)} for its {spec.ClassCount} labels but is {Describe(found)}");
        return expected;
    }

    // ORT gives −1 for a dimension that is open; batch and all others are then fixed by binding.
    private static bool Fits(int[] found, long[] expected) =>
        found.Length == expected.Length && found.Zip(expected).All(pair => pair.First == pair.Second || pair.First < 0);

    private static string Names(IReadOnlyDictionary<string, NodeMetadata> tensors) =>
        tensors.Count == 0 ? "none" : string.Join(", ", tensors.Select(tensor => $"'{tensor.Key}' ({Describe(tensor.Value)})"));

    private static string Describe(NodeMetadata tensor) => tensor.IsTensor
        ? Describe(tensor.ElementDataType, tensor.Dimensions.Select(size => (long)size))
        : tensor.OnnxValueType.ToString();

    private static string Describe(TensorElementType type, IEnumerable<long> shape) =>
        $"{(type == TensorElementType.Float ? "float32" : type.ToString().ToLowerInvariant())} [{string.Join(" × ", shape.Select(size => size < 0 ? "?" : $"{size}"))}]";

    private static ModelLoadException Fail(string code, SessionSpec spec, string what) => new(
        code, $"Model '{spec.Contender.Variant}' {what}; make the manifest and the ONNX file of this variant agree.");
}
