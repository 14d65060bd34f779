using Dunlin.Contracts.Worker;

namespace Dunlin.Runtime.Sessions;

/// <summary>
/// A model as ONNX Runtime optimized it for this CPU, in two files: the graph, and its weights, which are memory-mapped
/// when it is loaded. Starting is then fast and memory small.
/// </summary>
public static class SavedModel
{
    public const string GraphFile = "model.onnx";
    public const string WeightsFile = "model.weights";

    // Smaller ones cost more as an entry of the weights file than they save.
    private const string ExternalMinimumByteCount = "1024";

    /// <summary>The value of <see cref="SessionSpec.ModelPath"/> for a model saved in this directory.</summary>
    public static string GraphPath(string directory) => Path.Combine(directory, GraphFile);

    /// <summary>Both files; what the supervisor hashes.</summary>
    public static IReadOnlyList<string> Files(string directory) => [GraphPath(directory), Path.Combine(directory, WeightsFile)];

    /// <summary>
    /// Loads the release's model at level ALL, checks its tensors, and leaves exactly two files in
    /// <paramref name="outputDirectory"/>, which is created if it is not there and must be empty. Runs in a heat process.
    /// </summary>
    /// <returns>The spec that loads what was saved.</returns>
    /// <exception cref="ModelLoadException">The model does not load, is not the manifest's, or cannot be written.</exception>
    public static SessionSpec Save(SessionSpec spec, string outputDirectory)
    {
        if (spec.Saved) throw new ArgumentException($"'{spec.ModelPath}' is a saved model already.", nameof(spec));
        Directory.CreateDirectory(outputDirectory);
        if (Directory.EnumerateFileSystemEntries(outputDirectory).Any())
            throw new ModelLoadException("model.save", $"Directory '{outputDirectory}' is not empty; a saved model has exactly the files {GraphFile} and {WeightsFile}.");

        using var options = SessionSettings.Create(spec.Contender.Threads, spec.Contender.ExecutionProvider, saved: false);
        options.OptimizedModelFilePath = GraphPath(outputDirectory);
        options.AddSessionConfigEntry("session.optimized_model_external_initializers_file_name", WeightsFile);
        options.AddSessionConfigEntry("session.optimized_model_external_initializers_min_size_in_bytes", ExternalMinimumByteCount);
        using (var session = SessionLoader.Open(spec, options))
        {
            TensorCheck.Input(spec, session.InputMetadata);
            TensorCheck.Output(spec, session.OutputMetadata);
        }

        // ORT writes no weights file for a model without a weight that is large enough.
        if (!File.Exists(Files(outputDirectory)[1])) File.WriteAllBytes(Files(outputDirectory)[1], []);
        return spec with { ModelPath = GraphPath(outputDirectory), Saved = true };
    }
}
