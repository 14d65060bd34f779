using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Runtime.Sessions;

/// <summary>The one ONNX Runtime environment of a process: silent but for errors, and without its telemetry. Loads libonnxruntime: for children and tools only, never the supervisor.</summary>
public static class OnnxEnvironment
{
    private static readonly Lazy<OrtEnv> Environment = new(() =>
    {
        var options = new EnvironmentCreationOptions { logId = "dunlin", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        // Another library of the process may have been first; its log level then stands.
        var environment = OrtEnv.IsCreated ? OrtEnv.Instance() : OrtEnv.CreateInstanceWithOptions(ref options);
        environment.DisableTelemetryEvents();
        return environment;
    });

    /// <summary>Call before the first session of the process is made.</summary>
    public static OrtEnv Instance => Environment.Value;
}
