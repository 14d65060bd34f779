namespace Dunlin.Optimizer.Quantization;

/// <summary>How a model is quantized after training.</summary>
internal sealed record QuantizationOptions
{
    public QuantizationTarget Target { get; init; } = QuantizationTarget.X64Vnni;

    public CalibrationMethod Calibration { get; init; } = CalibrationMethod.Mse;

    /// <summary>Percent of an activation's values that stay within its range at either end; for <see cref="CalibrationMethod.Percentile"/> only.</summary>
    public double Percentile { get; init; } = 99.999;

    public bool CorrectBias { get; init; } = true;
}
