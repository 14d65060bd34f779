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
}
