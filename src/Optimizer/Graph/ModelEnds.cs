using Dunlin.Contracts.Manifests;
using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>A model's two ends, as a device must know them.</summary>
internal static class ModelEnds
{
    /// <summary>The name of the image input.</summary>
    public static string InputOf(ModelProto model)
    {
        var constants = model.Graph.Initializer.Select(i => i.Name).ToHashSet();
        return model.Graph.Input.Single(i => !constants.Contains(i.Name)).Name;
    }

    private static readonly HashSet<string> PassOn = ["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast", "QuantizeLinear", "DequantizeLinear"];

    /// <summary>The scores' tensor, and whether a softmax is still to be applied to it.</summary>
    public static OutputSpec OutputOf(ModelProto model) => new()
    {
        Tensor = model.Graph.Output[0].Name,
        Activation = GivesProbabilities(model) ? Activation.None : Activation.Softmax,
    };

    /// <summary>Whether the scores are probabilities: of classes that exclude each other, or, after a sigmoid, of each class alone.</summary>
    public static bool GivesProbabilities(ModelProto model)
    {
        var last = Last(model.Graph.Output[0].Name, value => model.Graph.Node.FirstOrDefault(n => n.Output.Contains(value)));
        return last?.OpType is "Softmax" or "Sigmoid" or "HardSigmoid";
    }

    /// <summary>The node that decides the scores: the last one but for those that only give them another shape or type.</summary>
    /// <param name="output">The scores.</param>
    /// <param name="producer">The node that computes a value; null for what is not computed.</param>
    public static NodeProto? Last(string output, Func<string, NodeProto?> producer)
    {
        var last = producer(output);
        while (last is not null && PassOn.Contains(last.OpType)) last = producer(last.Input[0]);
        return last;
    }
}
