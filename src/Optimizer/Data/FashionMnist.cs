using Dunlin.Contracts.Manifests;

namespace Dunlin.Optimizer.Data;

/// <summary>Fashion-MNIST (Xiao, Rasul and Vollgraf 2017, MIT): 60,000 training and 10,000 test images of ten kinds of garment, 28 × 28 gray.</summary>
internal static class FashionMnist
{
    /// <summary>Where Debian's package dataset-fashion-mnist puts it.</summary>
    public const string DebianFolder = "/usr/share/datasets/fashion-mnist";

    /// <summary>The mean of all training pixels, 0…255.</summary>
    public const float PixelMean = 72.94f;

    /// <summary>The standard deviation of all training pixels, 0…255.</summary>
    public const float PixelDeviation = 90.02f;

    public static readonly IReadOnlyList<string> ClassNames =
        ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"];

    /// <summary>How an image becomes the input tensor of the networks that are trained here.</summary>
    /// <param name="tensor">The input's name.</param>
    /// <param name="region">Where in a camera frame the garment is; null for frames that show nothing else.</param>
    public static InputSpec Input(string tensor, RegionOfInterest? region) => new()
    {
        Tensor = tensor,
        Layout = TensorLayout.Nchw,
        Channels = ChannelOrder.Gray,
        Width = 28,
        Height = 28,
        ElementType = ElementType.Float32,
        RegionOfInterest = region,
        Fit = FitMode.Stretch,
        Interpolation = Interpolation.Area,
        Mean = [PixelMean],
        Scale = [1 / PixelDeviation],
    };

    /// <exception cref="FileNotFoundException">A file is missing; the message says how to get it.</exception>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    public static LabelledImages ReadTraining(string folder) => Read(folder, "train");

    /// <inheritdoc cref="ReadTraining"/>
    public static LabelledImages ReadTest(string folder) => Read(folder, "t10k");

    /// <summary>Whether there is any part of it, or of another set in the same four files.</summary>
    public static bool IsIn(string folder) => HasTraining(folder) || HasTest(folder);

    public static bool HasTraining(string folder) => File.Exists(Find(folder, "train-images-idx3-ubyte"));

    public static bool HasTest(string folder) => File.Exists(Find(folder, "t10k-images-idx3-ubyte"));

    private static LabelledImages Read(string folder, string part)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no data set in '{folder}'; install the Debian package dataset-fashion-mnist, or name its folder with --data.");
        var (pixels, shape) = IdxFile.Read(Find(folder, $"{part}-images-idx3-ubyte"), rank: 3);
        var (labels, _) = IdxFile.Read(Find(folder, $"{part}-labels-idx1-ubyte"), rank: 1);
        return new LabelledImages(pixels, labels, width: shape[2], height: shape[1], ClassNames);
    }

    private static string Find(string folder, string name)
    {
        var plain = Path.Combine(folder, name);
        return File.Exists(plain) ? plain : plain + ".gz";
    }
}
