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

    private static readonly HashSet<string> PassOn = ["Identity", "Reshape", "Flatten", "Squeeze", "QuantizeLinear", "DequantizeLinear"];

    /// <summary>The scores' tensor, and whether a softmax is still to be applied to it.</summary>
    public static OutputSpec OutputOf(ModelProto model) => new()
    {
        Tensor = model.Graph.Output[0].Name,
        Activation = GivesProbabilities(model) ? Activation.None : Activation.Softmax,
    };

    /// <summary>Whether the scores are probabilities: of classes that exclude each other, or, after a sigmoid, of each class alone.</summary>
    public static bool GivesProbabilities(ModelProto model)
    {
        NodeProto? Producer(string value) => model.Graph.Node.FirstOrDefault(n => n.Output.Contains(value));
        var last = Producer(model.Graph.Output[0].Name);
        while (last is not null && PassOn.Contains(last.OpType)) last = Producer(last.Input[0]);
        return last?.OpType is "Softmax" or "Sigmoid" or "HardSigmoid";
    }
}
