using System.CommandLine;
using Onnx;

namespace Dunlin.Optimizer.Data;

/// <summary><c>--split</c>: which images a command may use, for all that learn and all that judge.</summary>
internal static class SplitOption
{
    public static readonly Option<FileInfo?> File = new("--split")
    {
        Description = "The file of `split`. By default split.json: beside the result for what learns, which makes it if it is not there; beside a model that was made with one for what judges.",
    };

    private const string Name = "split.json";

    /// <summary>The split that the command line names, or the one beside the result, which is made if there is none.</summary>
    /// <param name="arguments">Of the command.</param>
    /// <param name="data">Is read whole, once.</param>
    /// <param name="result">A file that will be made of these images.</param>
    /// <param name="said">Told of a new split.</param>
    public static SplitImages ForLearning(ParseResult arguments, DataListing data, string result, TextWriter said)
    {
        if (arguments.GetValue(File) is { } file) return SplitFile.Load(file.FullName).Apply(data);
        var beside = Beside(result);
        if (System.IO.File.Exists(beside)) return SplitFile.Load(beside).Apply(data);
        var split = DataSplit.Make(data, seed: 1, SplitShares.For(data));
        try
        {
            SplitFile.Save(split, beside);
        }
        catch (IOException) when (System.IO.File.Exists(beside))
        {
            // Another command made it meanwhile.
            return SplitFile.Load(beside).Apply(data);
        }

        said.WriteLine($"{beside}: {string.Join(", ", Enum.GetValues<SplitPart>().Select(p => $"{split.Parts[p].Count} {SplitShares.Word(p)}"))} images, cut once and for all");
        return split.Apply(data);
    }

    /// <summary>The held-out images of the split that the command line names, or of the one beside a model that was made with it; else all data, or its test set.</summary>
    public static HeldOutImages ForJudging(ParseResult arguments, DataListing data, IEnumerable<(string Path, ModelProto Model)> models)
    {
        var file = arguments.GetValue(File)?.FullName
            ?? models.Where(m => HeldOutImages.MarkOf(m.Model) is not null).Select(m => Beside(m.Path)).FirstOrDefault(System.IO.File.Exists);
        return file is null ? HeldOutImages.Whole(data) : SplitFile.Load(file).Apply(data).HeldOut;
    }

    /// <summary>Where a split is looked for that belongs to a file.</summary>
    public static string Beside(string path) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, Name);
}
