using System.CommandLine;
using System.Globalization;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Data;

/// <summary>How an image becomes a model's input, which an ONNX file does not say unless it was made here; null where nothing is said.</summary>
internal sealed record InputOptions(ChannelOrder? Channels, IReadOnlyList<float>? Mean, IReadOnlyList<float>? Deviation, FitMode? Fit, double? CropFraction)
{
    /// <summary>The images are Fashion-MNIST's, whose pixels then give the defaults.</summary>
    public bool AreGarments { get; init; }

    /// <summary>Of ImageNet's pixels, as torchvision's models expect them, 0…255.</summary>
    private static readonly float[] ImageNetMean = [123.675f, 116.28f, 103.53f], ImageNetDeviation = [58.395f, 57.12f, 57.375f];

    private static readonly Option<ChannelOrder?> ChannelOption = new("--channels") { Description = "rgb, bgr or gray; by default rgb for three channels, gray for one." };
    private static readonly Option<string?> MeanOption = new("--mean") { Description = "Subtracted from pixels of 0…255, one number or one a channel. By default ImageNet's for three channels, 0 for one, Fashion-MNIST's for its own images." };
    private static readonly Option<string?> DeviationOption = new("--std") { Description = "Divides what is left. By default ImageNet's for three channels, 255 for one, Fashion-MNIST's for its own images." };
    private static readonly Option<FitMode?> FitOption = new("--fit") { Description = "stretch, centerCrop or letterbox; by default centerCrop." };
    private static readonly Option<double?> CropOption = new("--crop-fraction") { Description = "Share of the largest centred rectangle that centerCrop keeps: 0.875 for torchvision's 224 of 256." };

    /// <summary>All of them, for a command.</summary>
    public static IEnumerable<Option> All => [ChannelOption, MeanOption, DeviationOption, FitOption, CropOption];

    /// <exception cref="FormatException">Not numbers, or out of range.</exception>
    public static InputOptions Of(ParseResult arguments)
    {
        var deviation = Numbers(arguments, DeviationOption);
        if (deviation?.Any(d => d <= 0) == true) throw new FormatException("--std must be above 0.");
        var crop = arguments.GetValue(CropOption);
        if (crop is <= 0 or > 1) throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"--crop-fraction is {crop}; it must be above 0 and at most 1."));
        return new InputOptions(arguments.GetValue(ChannelOption), Numbers(arguments, MeanOption), deviation, arguments.GetValue(FitOption), crop)
        {
            AreGarments = FashionMnist.IsIn(arguments.GetValue(DataOption.Any)!),
        };
    }

    /// <summary>The specification for a model; layout, size and element type are the graph's own. What is not given is as the model was made, or the default.</summary>
    /// <param name="graph">The model.</param>
    /// <exception cref="InvalidDataException">The input is no image.</exception>
    public InputSpec For(ModelGraph graph)
    {
        var said = InputMark.Of(graph.Model) is { } made ? Or(made) : this;
        var shape = graph.Input.Shape;
        var layout = shape is [_, 1 or 3, _, _] ? TensorLayout.Nchw
            : shape is [_, _, _, 1 or 3] ? TensorLayout.Nhwc
            : throw new InvalidDataException($"Input '{graph.Input.Name}' is {string.Join('×', shape)}; an image is 1×channels×height×width or 1×height×width×channels, with one or three channels.");
        var (count, height, width) = layout == TensorLayout.Nchw ? (shape[1], shape[2], shape[3]) : (shape[3], shape[1], shape[2]);
        var channels = said.Channels ?? (count == 1 ? ChannelOrder.Gray : ChannelOrder.Rgb);
        if ((channels == ChannelOrder.Gray) != (count == 1))
            throw new InvalidDataException($"Input '{graph.Input.Name}' has {count} channels, which --channels {channels} does not fit.");
        var bytes = graph.Model.Graph.Input.First(i => i.Name == graph.Input.Name).Type.TensorType.ElemType == (int)TensorProto.Types.DataType.Uint8;
        var (mean, deviation) = bytes ? ([0f], [1f])
            : AreGarments ? ([FashionMnist.PixelMean], [FashionMnist.PixelDeviation])
            : count == 3 ? (ImageNetMean, ImageNetDeviation)
            : (new[] { 0f }, new[] { 255f });
        var fit = said.Fit ?? FitMode.CenterCrop;
        return new InputSpec
        {
            Tensor = graph.Input.Name,
            Layout = layout,
            Channels = channels,
            Width = (int)width,
            Height = (int)height,
            ElementType = bytes ? ElementType.UInt8 : ElementType.Float32,
            Fit = fit,
            CropFraction = fit == FitMode.CenterCrop ? said.CropFraction : null,
            Interpolation = Interpolation.Area,
            Mean = PerChannel(said.Mean ?? Ordered(mean, channels), (int)count, "--mean"),
            Scale = [.. PerChannel(said.Deviation ?? Ordered(deviation, channels), (int)count, "--std").Select(d => 1 / d)],
        };
    }

    private InputOptions Or(InputOptions other) => this with
    {
        Channels = Channels ?? other.Channels, Mean = Mean ?? other.Mean, Deviation = Deviation ?? other.Deviation, Fit = Fit ?? other.Fit, CropFraction = CropFraction ?? other.CropFraction,
    };

    private static float[] Ordered(float[] rgb, ChannelOrder channels) => channels == ChannelOrder.Bgr ? [.. rgb.Reverse()] : rgb;

    private static IReadOnlyList<float> PerChannel(IReadOnlyList<float> values, int count, string option) =>
        values.Count == count ? values
        : values.Count == 1 ? [.. Enumerable.Repeat(values[0], count)]
        : throw new InvalidDataException($"{option} has {values.Count} numbers, but the model {count} channels; give one number, or one a channel in the model's order.");

    private static float[]? Numbers(ParseResult arguments, Option<string?> option) => arguments.GetValue(option) is not { } text
        ? null
        : [.. text.Split(',').Select(part => float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && float.IsFinite(number)
            ? number
            : throw new FormatException($"{option.Name} is '{text}'; write one number, or one a channel, for example 123.7,116.3,103.5."))];
}
