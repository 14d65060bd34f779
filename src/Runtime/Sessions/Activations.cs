using System.Numerics.Tensors;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Runtime.Sessions;

/// <summary>Turns an output tensor into probabilities, in place and without allocating.</summary>
internal static class Activations
{
    /// <summary>Values that are not finite stay so (all of them, for softmax): the caller counts such frames.</summary>
    public static void Apply(Activation activation, Span<float> scores)
    {
        switch (activation)
        {
            case Activation.None:
                return;
            case Activation.Sigmoid:
                TensorPrimitives.Sigmoid(scores, scores);
                return;
            case Activation.Softmax:
                // exp(x − max) cannot overflow, and the sum is at least 1.
                TensorPrimitives.Subtract(scores, TensorPrimitives.Max(scores), scores);
                TensorPrimitives.Exp(scores, scores);
                TensorPrimitives.Divide(scores, TensorPrimitives.Sum(scores), scores);
                return;
            default:
                throw new ArgumentOutOfRangeException(nameof(activation), activation, "No such activation.");
        }
    }
}
