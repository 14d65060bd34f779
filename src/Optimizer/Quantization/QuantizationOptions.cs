using System.Globalization;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Optimizer.Quantization;

/// <summary>How a model is quantized after training.</summary>
internal sealed record QuantizationOptions
{
    public QuantizationTarget Target { get; init; } = QuantizationTarget.OfThisMachine;

    public CalibrationMethod Calibration { get; init; } = CalibrationMethod.Mse;

    /// <summary>Percent of an activation's values that stay within its range at either end; for <see cref="CalibrationMethod.Percentile"/> only.</summary>
    public double Percentile { get; init; } = 99.999;

    public bool CorrectBias { get; init; } = true;

    /// <summary>Ways of calibrating as they are typed.</summary>
    public static IReadOnlyDictionary<string, CalibrationMethod> Methods { get; } = new Dictionary<string, CalibrationMethod>
    {
        ["min-max"] = CalibrationMethod.MinMax, ["percentile"] = CalibrationMethod.Percentile, ["mse"] = CalibrationMethod.Mse,
    };

    public static string Word(CalibrationMethod method) => Methods.Single(m => m.Value == method).Key;

    /// <summary>The step as a manifest tells it.</summary>
    /// <param name="imageCount">That calibrated.</param>
    /// <param name="keptFloatCount">Layers that stayed in float.</param>
    /// <param name="trainedSteps">Of training on the grids; 0 where there was none.</param>
    public Technique Technique(int imageCount, int keptFloatCount, int trainedSteps) => new()
    {
        Kind = "quantized",
        Summary = $"int8 QDQ per-channel{(trainedSteps == 0 ? "" : ", trained on its grids")}{(keptFloatCount == 0 ? "" : $", {keptFloatCount} layers in float")}",
        Parameters = new Dictionary<string, string>
        {
            ["activations"] = Target.SignedActivations ? "s8" : "u8",
            ["weights"] = "s8",
            ["target"] = Target.Name,
            ["calibration"] = Word(Calibration),
            ["biasCorrection"] = CorrectBias ? "yes" : "no",
            ["images"] = imageCount.ToString(CultureInfo.InvariantCulture),
            ["trainedSteps"] = trainedSteps.ToString(CultureInfo.InvariantCulture),
        },
    };
}
