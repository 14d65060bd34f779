using System.Globalization;

namespace Dunlin.Optimizer.Quantization;

/// <summary>What a quantized model may lose.</summary>
/// <param name="Accuracy">Share of top-1 that may be lost, 0…1; null where agreement counts.</param>
/// <param name="Agreement">Share of images on which it must answer as the float model does; null where accuracy counts.</param>
internal sealed record QuantizationLimit(double? Accuracy, double? Agreement)
{
    private const string Rule = "write -1.0pt (points of top-1 accuracy that may be lost) or agreement>=99 (percent of images with the same answer)";

    /// <exception cref="FormatException">It is no limit.</exception>
    public static QuantizationLimit Parse(string text)
    {
        var compact = text.Replace(" ", "", StringComparison.Ordinal);
        if (compact.EndsWith("pt", StringComparison.Ordinal) && Number(compact[..^2].Replace("top1>=", "", StringComparison.Ordinal)) is <= 0 and >= -100 and var points)
            return new QuantizationLimit(-points / 100, null);
        if (compact.StartsWith("agreement>=", StringComparison.Ordinal) && Number(compact[11..].TrimEnd('%')) is >= 0 and <= 100 and var percent)
            return new QuantizationLimit(null, percent / 100);
        throw new FormatException($"--limit is '{text}'; {Rule}.");
    }

    public bool Holds(Scores reference, Scores quantized, IReadOnlyList<int> labels) => Accuracy is { } loss
        ? reference.Accuracy(labels) - quantized.Accuracy(labels) <= loss + 1e-9
        : reference.Agreement(quantized) >= Agreement!.Value - 1e-9;

    private static double Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : double.NaN;
}
