using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Runtime.Sessions;

/// <summary>The one ONNX Runtime environment of a process: silent but for errors, and without its telemetry. Loads libonnxruntime: for children and tools only, never the supervisor.</summary>
public static class OnnxEnvironment
{
    private static readonly Lazy<OrtEnv> Environment = new(() =>
    {
        // Since 1.29, making an environment writes a device id into the user's cache and starts an uploader; calling
        // DisableTelemetryEvents is too late, and the variable is read once (github.com/microsoft/onnxruntime/pull/29843).
        NativeEnvironment.Set("ORT_DISABLE_TELEMETRY", "1", overwrites: true);
        var options = new EnvironmentCreationOptions { logId = "dunlin", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        // Another library of the process may have been first; its log level then stands.
        return OrtEnv.IsCreated ? OrtEnv.Instance() : OrtEnv.CreateInstanceWithOptions(ref options);
    });

    /// <summary>Call before the first session of the process is made.</summary>
    public static OrtEnv Instance => Environment.Value;
}
