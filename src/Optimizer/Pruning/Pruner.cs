using System.Globalization;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Pruning;

/// <summary>Makes a narrower graph out of a graph, without training.</summary>
internal static class Pruner
{
    /// <param name="graph">Is changed.</param>
    /// <param name="importance">Given what depends on what, the scores of groups.</param>
    /// <param name="options">How much.</param>
    /// <param name="first">What the first of several rounds did; null in it.</param>
    /// <returns>What was done.</returns>
    /// <exception cref="InvalidDataException">Nothing may be pruned, or the model is quantized.</exception>
    public static PruningPlan Prune(ModelGraph graph, Func<ChannelDependencies, Importance> importance, PruningOptions options, PruningPlan? first = null)
    {
        if (ModelPrecision.FirstInteger(graph) is { } integer)
            throw new InvalidDataException($"{Nodes.Named(integer)}: the model is quantized already; prune its float32 form, then quantize.");
        var dependencies = ChannelDependencies.Of(graph);
        var plan = PruningPlan.Make(dependencies, importance(dependencies), options, first);
        ChannelRemoval.Apply(dependencies, plan.Removed);
        // ONNX Runtime has the last word on whether it is still one graph.
        _ = graph.Shapes;
        return plan;
    }

    /// <summary>The step as a manifest tells it.</summary>
    /// <param name="options">How much was asked for.</param>
    /// <param name="importance">The word for it.</param>
    /// <param name="parameterShare">Share 0…1 of the parameters that went.</param>
    public static Technique Technique(PruningOptions options, string importance, double parameterShare) => new()
    {
        Kind = "pruned",
        Summary = string.Create(CultureInfo.InvariantCulture, $"pruned {parameterShare:f2}"),
        Parameters = new Dictionary<string, string>
        {
            ["ratio"] = options.Ratio.ToString(CultureInfo.InvariantCulture),
            ["importance"] = importance,
            ["scope"] = options.Scope == PruningScope.Global ? "global" : "layer",
            ["step"] = options.Step.ToString(CultureInfo.InvariantCulture),
            ["rounds"] = options.Rounds.ToString(CultureInfo.InvariantCulture),
        },
    };
}
