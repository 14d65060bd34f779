using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Runtime.Sessions;

/// <summary>The execution providers of the ONNX Runtime in this process.</summary>
public static class Providers
{
    public const string Cpu = "CPUExecutionProvider";

    /// <summary>Loads libonnxruntime: for children only, never the supervisor.</summary>
    public static IReadOnlyList<string> Available => OnnxEnvironment.Instance.GetAvailableProviders();

    /// <summary>For example 1.31.1. Loads libonnxruntime.</summary>
    public static string OnnxRuntimeVersion => OnnxEnvironment.Instance.GetVersionString();

    /// <exception cref="ModelLoadException">The provider is not in this build, or refuses to start.</exception>
    internal static void Append(SessionOptions options, string provider)
    {
        if (provider == Cpu) return;
        if (!Available.Contains(provider))
            throw Missing(provider, $"this ONNX Runtime has {string.Join(", ", Available)}");
        try
        {
            options.AppendExecutionProvider(provider.Replace("ExecutionProvider", "", StringComparison.Ordinal));
        }
        catch (OnnxRuntimeException exception)
        {
            throw Missing(provider, exception.Message, exception);
        }
    }

    private static ModelLoadException Missing(string provider, string why, Exception? inner = null) => new(
        "provider.missing", $"Execution provider '{provider}' cannot be used: {why}; race the variant on another provider.", inner);
}
