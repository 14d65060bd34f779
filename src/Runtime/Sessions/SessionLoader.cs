using Dunlin.Contracts.Worker;
using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Runtime.Sessions;

internal static class SessionLoader
{
    /// <summary>A release's model is loaded from memory with an impossible folder for external data, a saved one from its file, whose weights lie beside it.</summary>
    /// <exception cref="ModelLoadException"><c>model.load</c> or <c>model.external-data</c>.</exception>
    public static InferenceSession Open(SessionSpec spec, SessionOptions options)
    {
        try
        {
            if (spec.Saved) return new InferenceSession(spec.ModelPath, options);
            options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", NowhereFolder);
            return new InferenceSession(File.ReadAllBytes(spec.ModelPath), options);
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or IOException or UnauthorizedAccessException)
        {
            var external = exception.Message.Contains("external", StringComparison.OrdinalIgnoreCase);
            throw new ModelLoadException(
                external && !spec.Saved ? "model.external-data" : "model.load",
                $"Model '{spec.Contender.Variant}' ({spec.ModelPath}) does not load: {exception.Message.TrimEnd('.')}; " +
                (external && !spec.Saved ? "release models must hold their weights in the ONNX file itself." : "check the file with dunlin-optimizer, or make it again."),
                exception);
        }
    }

    // Below a file that is no folder nothing can ever be put.
    private const string NowhereFolder = "/dev/null/nowhere";
}
