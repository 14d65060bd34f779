using System.Globalization;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Optimizer.Data;

/// <summary>Whether two models take images alike, whatever their size and layout.</summary>
internal static class InputLikeness
{
    /// <summary>Of a scale that was noted as its deviation, relative.</summary>
    private const double Rounding = 1e-5;

    /// <summary>Whether one model could take images as the other does.</summary>
    public static bool CanBeLike(this InputSpec input, InputSpec other) => (input.ChannelCount, input.ElementType) == (other.ChannelCount, other.ElementType);

    /// <summary>Bytes and floats of one image have other means and scales.</summary>
    public static bool IsLike(this InputSpec input, InputSpec other) =>
        (input.Channels, input.Fit, input.CropFraction ?? 1) == (other.Channels, other.Fit, other.CropFraction ?? 1)
        && (input.ElementType != other.ElementType
            || (input.Mean.SequenceEqual(other.Mean) && input.Scale.Zip(other.Scale).All(s => Math.Abs(s.First - s.Second) <= Rounding * s.Second)));

    /// <summary>The same input for images as the other is given them.</summary>
    public static InputSpec Like(this InputSpec input, InputSpec other) => input with
    {
        Channels = other.Channels, Mean = other.Mean, Scale = other.Scale, Fit = other.Fit, CropFraction = other.CropFraction,
    };

    /// <summary>As the command line says it.</summary>
    public static string Words(this InputSpec input) => string.Create(CultureInfo.InvariantCulture,
        $"{input.Channels}, mean {string.Join(' ', input.Mean)}, std {string.Join(' ', input.Scale.Select(s => $"{1 / s:g4}"))}, {input.Fit}{(input.CropFraction is { } crop ? $" {crop}" : "")}");
}
