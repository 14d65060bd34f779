using System.Text.Json.Serialization;

namespace Dunlin.Contracts.Manifests;

/// <summary>
/// How a frame becomes the input tensor of shape 1 × channels × height × width (or NHWC):
/// region of interest, then fit, then <c>(pixel − mean) · scale</c> for pixels of 0…255.
/// </summary>
public sealed record InputSpec
{
    public required string Tensor { get; init; }
    public required TensorLayout Layout { get; init; }
    public required ChannelOrder Channels { get; init; }

    /// <summary>Pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Pixels.</summary>
    public required int Height { get; init; }

    public required ElementType ElementType { get; init; }

    /// <summary>The part of the frame to look at; null means all of it.</summary>
    public RegionOfInterest? RegionOfInterest { get; init; }

    public required FitMode Fit { get; init; }

    /// <summary>For <see cref="FitMode.CenterCrop"/>: the share of the largest centred rectangle that is kept, 0…1 (224 of 256 = 0.875). Null means 1.</summary>
    public double? CropFraction { get; init; }

    public required Interpolation Interpolation { get; init; }

    /// <summary>One per channel in the model's order, in pixel units 0…255.</summary>
    public required IReadOnlyList<float> Mean { get; init; }

    /// <summary>One per channel in the model's order; the factor after the mean is subtracted.</summary>
    public required IReadOnlyList<float> Scale { get; init; }

    /// <summary>1 for gray, else 3.</summary>
    [JsonIgnore]
    public int ChannelCount => Channels == ChannelOrder.Gray ? 1 : 3;
}

/// <summary>A rectangle in fractions 0…1 of the frame's width and height.</summary>
public sealed record RegionOfInterest
{
    public required double X { get; init; }
    public required double Y { get; init; }
    public required double Width { get; init; }
    public required double Height { get; init; }
}

public enum TensorLayout
{
    [JsonStringEnumMemberName("nchw")] Nchw = 1,
    [JsonStringEnumMemberName("nhwc")] Nhwc = 2,
}

public enum ChannelOrder
{
    [JsonStringEnumMemberName("rgb")] Rgb = 1,
    [JsonStringEnumMemberName("bgr")] Bgr = 2,

    /// <summary>BT.601 luma of the frame, full range.</summary>
    [JsonStringEnumMemberName("gray")] Gray = 3,
}

public enum ElementType
{
    [JsonStringEnumMemberName("float32")] Float32 = 1,
    [JsonStringEnumMemberName("uint8")] UInt8 = 2,
}

/// <summary>How a region of another aspect ratio is brought to the model's size.</summary>
public enum FitMode
{
    /// <summary>Width and height are scaled apart.</summary>
    [JsonStringEnumMemberName("stretch")] Stretch = 1,

    /// <summary>The largest centred rectangle of the model's aspect ratio, times the crop fraction.</summary>
    [JsonStringEnumMemberName("centerCrop")] CenterCrop = 2,

    /// <summary>All of the region, centred, the rest filled with the mean.</summary>
    [JsonStringEnumMemberName("letterbox")] Letterbox = 3,
}

/// <summary>How pixels are sampled; centres are aligned (pixel centre at +0.5).</summary>
public enum Interpolation
{
    [JsonStringEnumMemberName("bilinear")] Bilinear = 1,

    /// <summary>The mean over the source pixels that a target pixel covers; the one to use when shrinking by more than two.</summary>
    [JsonStringEnumMemberName("area")] Area = 2,
}
