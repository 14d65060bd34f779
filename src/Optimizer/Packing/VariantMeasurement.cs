using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Messages;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Packing;

/// <summary>All that a manifest says of one model file, measured here and now.</summary>
/// <param name="Id">The file's name without its ending, as topics and paths can have it.</param>
/// <param name="Path">The ONNX file that a device is given.</param>
/// <param name="Precision">int8 if it quantizes anything.</param>
/// <param name="Techniques">As the file's own metadata tells.</param>
/// <param name="Facts">Of its graph.</param>
/// <param name="Answers">On all held-out images.</param>
/// <param name="GoldenPredictions">On the golden set, in its order.</param>
/// <param name="Cost">Of a process that runs it.</param>
internal sealed record VariantMeasurement(
    string Id, string Path, Precision Precision, IReadOnlyList<Technique> Techniques, GraphFacts Facts,
    ModelAnswers Answers, IReadOnlyList<int> GoldenPredictions, ModelProbe Cost)
{
    private const long MiB = 1024 * 1024;

    // A load limit is meant to stop what hangs, not what is slow: a board may be fifty times slower than this machine, and its
    // card may give no more than the 10 MB/s that its speed class promises (SD Association, Class 10).
    private const int LeastLoadMilliseconds = 5000, LargestSlowness = 50, CardBytesPerMillisecond = 10_000;

    /// <param name="model">The variant.</param>
    /// <param name="answers">Its answers on the held-out images, by the device's preprocessing.</param>
    /// <param name="golden">The golden set, of the model's size.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    public static async Task<VariantMeasurement> MeasureAsync(EvaluatedModel model, HeldOutAnswers answers, PixelSet golden, CancellationToken cancellationToken)
    {
        // As the device gets it, not the simplified graph: the manifest must list every operator of the file.
        var file = ModelFile.Load(model.DeviceFile);
        using var evaluator = model.Open(golden.ClassNames);
        return new VariantMeasurement(
            IdOf(model.Path),
            model.DeviceFile,
            ModelPrecision.Of(model.Graph),
            Provenance.Of(file),
            GraphFacts.Of(file, model.Graph.Input.Shape),
            new ModelAnswers(answers.Answers),
            evaluator.Answer(golden, cancellationToken).Predictions,
            await ModelProbe.MeasureAsync(model.DeviceFile, model.Graph.Input.Shape, cancellationToken));
    }

    /// <exception cref="InvalidDataException">Nothing of the name can be one.</exception>
    public static string IdOf(string path)
    {
        var name = System.IO.Path.GetFileNameWithoutExtension(path);
        var id = string.Concat(name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).TrimStart('-');
        return DeviceName.IsValid(id) ? id : throw new InvalidDataException($"'{path}' gives no name for a variant, which matches {DeviceName.Rule}; rename the file.");
    }

    public Variant ToVariant(Blob blob, int goldenCorrectCount) => new()
    {
        Id = Id,
        Blob = blob,
        Precision = Precision,
        Techniques = Techniques,
        ParameterCount = Facts.ParameterCount,
        Macs = Facts.Macs,
        PeakMemoryByteCount = Cost.ResidentByteCount,
        Accuracy = Answers.ToAccuracy(),
        Floors = FloorChoice.For(Precision, goldenCorrectCount, GoldenPredictions.Count),
        Requires = new Requirements
        {
            ExecutionProviders = ["CPUExecutionProvider"],
            CpuFeatures = [],
            MemoryByteCount = RoundUp(Cost.ResidentByteCount * 3 / 2),
        },
        Operators = Facts.Operators,
        // Twice what was seen and room for thread stacks: arenas grow in powers of two.
        Limits = new Limits { LoadMilliseconds = LoadLimit(blob.Size, Cost.LoadMilliseconds), MemoryByteCount = RoundUp(Cost.DataByteCount * 2 + 64 * MiB) },
    };

    internal static int LoadLimit(long byteCount, long loadMilliseconds) => (int)Math.Min(
        Limits.LongestLoadMilliseconds, Math.Max(LeastLoadMilliseconds, (LargestSlowness * loadMilliseconds) + (byteCount / CardBytesPerMillisecond)));

    private static long RoundUp(long byteCount) => (byteCount + MiB - 1) / MiB * MiB;
}
