using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>What ONNX Runtime on this machine really makes of a quantized model: the graph that it optimized, read back.</summary>
/// <param name="Kernels">How many of each operator.</param>
/// <param name="Unfused">Convolutions and linear layers that it computes in float.</param>
internal sealed record FusionEvidence(IReadOnlyDictionary<string, int> Kernels, IReadOnlyList<UnfusedLayer> Unfused)
{
    private static readonly HashSet<string> Integer = ["QLinearConv", "QGemm", "QLinearMatMul", "MatMulIntegerToFloat", "ConvInteger", "MatMulInteger"];

    /// <param name="plan">That the model was quantized by.</param>
    /// <param name="quantized">The result.</param>
    /// <param name="keptFloat">Layers that were kept in float on purpose, by name.</param>
    public static FusionEvidence Of(QuantizationPlan plan, ModelProto quantized, IReadOnlySet<string>? keptFloat = null)
    {
        var optimized = Optimized(quantized).Graph.Node;
        // Nodes and their outputs get other names on the way; the weights keep theirs.
        var fused = optimized.Where(n => Integer.Contains(n.OpType)).SelectMany(n => n.Input).ToHashSet();
        var unfused = plan.Graph.Nodes.Where(n => IntegerOperators.IsLayer(n) && !fused.Contains(QdqQuantizer.WeightsOf(n)))
            .Select(n => new UnfusedLayer(n.Name, n.OpType, keptFloat?.Contains(n.Name) == true
                ? "kept in float for its sensitivity"
                : IntegerOperators.WhyFloat(plan.Graph, n) ?? "ONNX Runtime on this machine did not fuse it"));
        return new FusionEvidence(new SortedDictionary<string, int>(optimized.CountBy(n => n.OpType).ToDictionary(), StringComparer.Ordinal), [.. unfused]);
    }

    private static ModelProto Optimized(ModelProto model)
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-fusion").FullName;
        try
        {
            var path = Path.Combine(folder, "optimized.onnx");
            OptimizedModel.Save(model, path);
            return ModelFile.Load(path);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

/// <summary>A layer that was to be an integer kernel and is not.</summary>
internal sealed record UnfusedLayer(string Name, string Operator, string Reason);
