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

    private static ReadOnlySpan<byte> FirstTrainingLabels => [9, 0, 0, 3, 0, 2, 7, 2, 5, 5, 0, 9, 5, 5, 7, 9];

    private static ReadOnlySpan<byte> FirstTestLabels => [9, 2, 1, 1, 6, 1, 4, 6, 5, 7, 4, 5, 7, 3, 4, 1];

    /// <summary>Whether a folder of IDX files is this set, and not another in files of the same names: its labels say so.</summary>
    public static bool IsIn(string folder) => IdxFolder.IsIn(folder) && Begins(IdxFolder.FirstLabels(folder));

    /// <inheritdoc cref="IdxFolder.ReadTest"/>
    public static LabelledImages ReadTest(string folder) => IdxFolder.ReadTest(folder);

    private static bool Begins(ReadOnlySpan<byte> labels) => labels.StartsWith(FirstTrainingLabels) || labels.StartsWith(FirstTestLabels);
}
