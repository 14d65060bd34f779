using System.Text.Json.Serialization;

namespace Dunlin.Contracts.Manifests;

/// <summary>The output tensor, of shape 1 × classes, and what the agent still has to apply to it.</summary>
public sealed record OutputSpec
{
    public required string Tensor { get; init; }

    public required Activation Activation { get; init; }
}

/// <summary>The function that turns the output tensor into probabilities.</summary>
public enum Activation
{
    /// <summary>The tensor holds probabilities already.</summary>
    [JsonStringEnumMemberName("none")] None = 1,

    [JsonStringEnumMemberName("softmax")] Softmax = 2,

    [JsonStringEnumMemberName("sigmoid")] Sigmoid = 3,
}
