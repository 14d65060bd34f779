using System.Runtime.InteropServices;

namespace Dunlin.Optimizer.Training.Execution;

/// <summary>What torch says when it cannot compute: an exception of C++, which TorchSharp hands on with its native stack.</summary>
internal static class TorchFailure
{
    /// <summary>Whether an exception is TorchSharp's. Other libraries derive their own from the same type.</summary>
    public static bool Is(Exception error) => error.GetType() == typeof(ExternalException);

    /// <summary>Whether it is the graph that is at fault, and not the machine, which lacks memory.</summary>
    public static bool IsOfTheGraph(Exception error) => Is(error) && !IsOfMemory(error);

    /// <summary>The first line; what follows is the native stack.</summary>
    public static string Reason(Exception error) => error.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault("it does not say why").TrimEnd('.');

    /// <summary>For whoever waits for the result.</summary>
    public static string Sentence(Exception error) => IsOfMemory(error)
        ? $"Memory ran out while training: {Reason(error)}; free some, or train on fewer images at once."
        : $"Torch cannot compute this model: {Reason(error)}.";

    private static bool IsOfMemory(Exception error) => error.Message.Contains("allocate memory", StringComparison.Ordinal);
}
