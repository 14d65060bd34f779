using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>What a model must be before it is worked on: one plain graph, from one input to one output, with its weights inside.</summary>
internal static class GraphChecks
{
    /// <summary>Before it, Add and BatchNormalization meant something else.</summary>
    private const long OldestOpset = 7;

    /// <exception cref="InvalidDataException">It is not; the message names the place and the way out.</exception>
    public static void Require(ModelProto model)
    {
        var graph = model.Graph;
        var opset = model.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx")?.Version ?? 0;
        if (opset < OldestOpset) throw new InvalidDataException($"The model uses operator set {opset}; export it with {OldestOpset} or newer (17 suits every device).");
        if (model.Functions.Count > 0)
            throw new InvalidDataException($"The model defines a function of its own, '{model.Functions[0].Name}'; inline it first (onnx.inliner, or export with optimize=True).");
        if (graph.SparseInitializer.Count > 0)
            throw new InvalidDataException($"Initializer '{graph.SparseInitializer[0].Values.Name}' is sparse; export the model with dense weights.");
        foreach (var tensor in graph.Initializer) RequireInside(tensor, $"Initializer '{tensor.Name}'");
        foreach (var node in graph.Node) Require(node);
        RequireOneWay(graph);
    }

    private static void Require(NodeProto node)
    {
        foreach (var attribute in node.Attribute)
        {
            if (attribute.G is not null || attribute.Graphs.Count > 0)
                throw new InvalidDataException($"{Nodes.Named(node)} holds a graph of its own; export the model without control flow, for fixed shapes.");
            if (attribute.T is { } tensor) RequireInside(tensor, Nodes.Named(node));
        }
    }

    private static void RequireInside(TensorProto tensor, string where)
    {
        if (tensor.DataLocation == TensorProto.Types.DataLocation.External)
            throw new InvalidDataException($"{where} keeps its data outside of the model file; save the model with its weights inside (onnx.save without external data).");
    }

    private static void RequireOneWay(GraphProto graph)
    {
        var constants = graph.Initializer.Select(i => i.Name).ToHashSet();
        var inputs = graph.Input.Where(i => !constants.Contains(i.Name)).Select(i => i.Name).ToList();
        if (inputs.Count != 1) throw new InvalidDataException($"The model has {inputs.Count} inputs ({Listed(inputs)}); a classifier has one, the image.");
        if (graph.Output.Count != 1)
            throw new InvalidDataException($"The model has {graph.Output.Count} outputs ({Listed(graph.Output.Select(o => o.Name))}); a classifier has one, its scores. Detection and segmentation models are not supported.");
        var known = constants.Concat(inputs).Append("").ToHashSet();
        foreach (var output in graph.Node.SelectMany(n => n.Output))
            if (output.Length > 0 && !known.Add(output)) throw new InvalidDataException($"Value '{output}' is computed twice.");
        foreach (var node in graph.Node)
            if (node.Input.FirstOrDefault(i => !known.Contains(i)) is { } missing)
                throw new InvalidDataException($"{Nodes.Named(node)} reads '{missing}', which nothing computes.");
        if (!known.Contains(graph.Output[0].Name)) throw new InvalidDataException($"Nothing computes the output '{graph.Output[0].Name}'.");
    }

    private static string Listed(IEnumerable<string> names) => string.Join(", ", names.Take(6).Select(n => $"'{n}'"));
}
