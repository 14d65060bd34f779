using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace Dunlin.Optimizer.Quantization;

/// <summary>What <c>quantize</c> tells.</summary>
/// <param name="Path">The file that was written.</param>
/// <param name="Target">The CPU that it is for.</param>
/// <param name="Calibration">How ranges were found.</param>
/// <param name="CalibrationImageCount">On how many images.</param>
/// <param name="TrainingEpochCount">For how many epochs the weights were trained on their grids.</param>
/// <param name="FloatByteCount">Of the model that was read.</param>
/// <param name="ByteCount">Of the file.</param>
/// <param name="BiasError">Root mean square of the channels' mean errors that bias correction took away, in units of the activations.</param>
/// <param name="Divergence">Mean Kullback-Leibler divergence from the float model in nats, on the images of the check.</param>
/// <param name="Agreement">Share of the same images with the same best class.</param>
/// <param name="FloatAccuracy">Top-1 of the float model on the same images.</param>
/// <param name="Accuracy">Top-1 on the same images.</param>
/// <param name="CheckImageCount">How many they were; none of them was used to calibrate.</param>
/// <param name="LimitHolds">Null without a limit.</param>
/// <param name="KeptFloat">Layers that the limit kept in float.</param>
/// <param name="Fusion">What ONNX Runtime on this machine makes of it.</param>
/// <param name="Sensitivities">The worst layer first; empty if it was not asked for.</param>
internal sealed record QuantizationReport(
    string Path, string Target, string Calibration, int CalibrationImageCount, int TrainingEpochCount, long FloatByteCount, long ByteCount, double? BiasError,
    double Divergence, double Agreement, double FloatAccuracy, double Accuracy, int CheckImageCount, bool? LimitHolds,
    IReadOnlyList<string> KeptFloat, FusionEvidence Fusion, IReadOnlyList<LayerSensitivity> Sensitivities)
{
    private const int SensitivitiesShown = 10;

    public string ToJson() => JsonSerializer.Serialize(this, QuantizationJson.Default.QuantizationReport);

    public void WriteTables(TextWriter output)
    {
        output.WriteLine($"{Path}: {ByteCount} bytes of {FloatByteCount}, for {Target}, calibrated by {Calibration} on {CalibrationImageCount} images{(TrainingEpochCount > 0 ? $", trained for {TrainingEpochCount} epochs" : "")}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"on {CheckImageCount} other images: top-1 {Accuracy:P2} (float {FloatAccuracy:P2}), same answer {Agreement:P2}, divergence {Divergence:g3} nats"));
        if (LimitHolds == false) output.WriteLine("The limit does not hold, whichever layers stay in float; this is the whole model on bytes. Look at the calibration images, or allow more.");
        var kernels = new Table().AddColumns("operator as ONNX Runtime runs it", "count");
        foreach (var (name, count) in Fusion.Kernels) kernels.AddRow(Markup.Escape(name), $"{count}");
        PlainConsole.Write(kernels, output);
        if (Fusion.Unfused.Count > 0)
        {
            var unfused = new Table().AddColumns("layer in float", "operator", "why");
            foreach (var layer in Fusion.Unfused) unfused.AddRow(Markup.Escape(layer.Name), layer.Operator, Markup.Escape(layer.Reason));
            PlainConsole.Write(unfused, output);
        }

        if (Sensitivities.Count == 0) return;
        var sensitivities = new Table().AddColumns("most sensitive layers", "divergence, nats");
        foreach (var layer in Sensitivities.Take(SensitivitiesShown)) sensitivities.AddRow(Markup.Escape(layer.Layer), layer.Divergence.ToString("g3", CultureInfo.InvariantCulture));
        PlainConsole.Write(sensitivities, output);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(QuantizationReport))]
internal sealed partial class QuantizationJson : JsonSerializerContext;
