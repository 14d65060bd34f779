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

    /// <summary>The scores' tensor, and whether a softmax is still to be applied to it.</summary>
    public static OutputSpec OutputOf(ModelProto model) => new()
    {
        Tensor = model.Graph.Output[0].Name,
        Activation = EndsInSoftmax(model) ? Activation.None : Activation.Softmax,
    };

    /// <summary>Whether the scores are probabilities.</summary>
    public static bool EndsInSoftmax(ModelProto model) => model.Graph.Node.FirstOrDefault(n => n.Output.Contains(model.Graph.Output[0].Name))?.OpType == "Softmax";
}
