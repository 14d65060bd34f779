using System.CommandLine;

namespace Dunlin.Optimizer.Data;

/// <summary>Where the images are, for every command that reads some.</summary>
internal static class DataOption
{
    public static readonly Option<DirectoryInfo> Folder = new("--data")
    {
        Description = "The folder of the four Fashion-MNIST files, gzipped or not (Debian: dataset-fashion-mnist).",
        DefaultValueFactory = _ => new DirectoryInfo(FashionMnist.DebianFolder),
    };

    public static readonly Option<string> Any = new("--data")
    {
        Description = "A folder with a sub-folder of JPEG or PNG images per class, a CSV of file and label, or a folder of IDX files.",
        DefaultValueFactory = _ => FashionMnist.DebianFolder,
    };
}
