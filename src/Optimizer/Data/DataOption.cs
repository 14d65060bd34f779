using System.CommandLine;
using Onnx;

namespace Dunlin.Optimizer.Data;

/// <summary>What images there are, for every command that reads some.</summary>
internal static class DataOption
{
    /// <summary>Of the demo's garments.</summary>
    public static readonly Option<DirectoryInfo> Garments = new("--data")
    {
        Description = "The folder of the four Fashion-MNIST files, gzipped or not (Debian: dataset-fashion-mnist).",
        DefaultValueFactory = _ => new DirectoryInfo(FashionMnist.DebianFolder),
    };

    public static readonly Option<string> Any = new("--data")
    {
        Description = "A folder with a sub-folder of JPEG or PNG images per class, a CSV of file and label, or a folder of IDX files.",
        DefaultValueFactory = _ => FashionMnist.DebianFolder,
    };

    public static readonly Option<FileInfo?> LabelsFile = new("--labels") { Description = "A line (or a JSON string) for each output; by default MODEL.labels.txt beside a model, or those that it was made with, if there are any." };
    private static readonly Option<double> UnreadableOption = new("--max-unreadable") { Description = "Share of images, 0…1, that may be unreadable and left out.", DefaultValueFactory = _ => ImageLimits.UnreadableShare };

    /// <summary>What images and classes are, and how an image becomes a model's input.</summary>
    public static IEnumerable<Option> All => [Any, LabelsFile, UnreadableOption, .. InputOptions.All];

    /// <summary>The labels that the command line names, those beside a model, or those that it was made with; null if there are none.</summary>
    /// <exception cref="InvalidDataException">They are none.</exception>
    public static IReadOnlyList<string>? Labels(ParseResult arguments, string? path, ModelProto? model)
    {
        if (arguments.GetValue(LabelsFile) is { } file) return ClassMap.ReadLabels(file.FullName);
        if (path is not null && Path.ChangeExtension(path, ".labels.txt") is var beside && File.Exists(beside)) return ClassMap.ReadLabels(beside);
        return model is null ? null : LabelMark.Of(model);
    }

    /// <exception cref="FormatException">It is no share.</exception>
    public static double UnreadableShare(ParseResult arguments) => arguments.Checked(UnreadableOption, 0.0, 1);
}
