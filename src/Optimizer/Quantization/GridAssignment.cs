using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>Gives each quantized activation its range: its own, or one that it shares so that bytes are handed on or put side by side unchanged.</summary>
internal static class GridAssignment
{
    public static Dictionary<string, TensorRange> Of(QuantizationPlan plan, IReadOnlyDictionary<string, TensorRange> measured)
    {
        var source = measured.Keys.ToDictionary(t => t);
        string Root(string tensor) => source[tensor] == tensor ? tensor : Root(source[tensor]);
        foreach (var node in plan.Graph.Nodes)
        {
            if (plan.KindOf(node) == IntegerKind.KeepsGrid && plan.IsQuantized(node.Input[0]))
                foreach (var output in node.Output.Where(plan.IsQuantized)) source[output] = node.Input[0];
            else if (node.OpType == "Concat" && plan.KindOf(node) == IntegerKind.Free && plan.IsQuantized(node.Output[0]))
                foreach (var input in node.Input.Where(i => Joins(plan, measured, i, node) && source[i] == i && !source.Any(s => s.Value == i && s.Key != i))) source[input] = node.Output[0];
        }

        return measured.Keys.ToDictionary(t => t, t => measured[Root(t)]);
    }

    // A Relu before the grid is dropped only where the grid begins at zero, and a Clip only where it ends at the bound.
    private static bool Joins(QuantizationPlan plan, IReadOnlyDictionary<string, TensorRange> measured, string input, NodeProto concat) =>
        plan.Graph.OnlyConsumer(input) == concat && plan.Graph.Producer(input)?.OpType switch
        {
            null or "Clip" => false,
            "Relu" => measured[concat.Output[0]].Low >= 0,
            _ => true,
        };
}
