namespace Dunlin.Optimizer.Data;

/// <summary>All images of a data set by name, in a fixed order; none is opened.</summary>
/// <param name="Samples">Sorted by name in folders, else as listed.</param>
/// <param name="ClassNames">All classes, sorted; for IDX by number.</param>
/// <param name="ClassesAreNumbers">The class names are places in the model's output, or labels that are numbers.</param>
internal sealed record DataListing(IReadOnlyList<ImageSample> Samples, IReadOnlyList<string> ClassNames, bool ClassesAreNumbers = false)
{
    private const string Forms = "--data takes a folder with one sub-folder of JPEG or PNG images for each class, a CSV of file and label, or a folder of IDX files (Debian: dataset-fashion-mnist)";

    /// <summary>Lists what is there, in whichever of the forms.</summary>
    /// <exception cref="IOException">There is nothing.</exception>
    /// <exception cref="InvalidDataException">It is of no form, or a class has no images.</exception>
    public static DataListing Open(string path)
    {
        if (File.Exists(path))
            return path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) ? CsvListing.Read(path) : throw new InvalidDataException($"'{path}' is not a CSV by its name; {Forms}.");
        if (!Directory.Exists(path)) throw new DirectoryNotFoundException($"There is no '{path}'; {Forms}.");
        if (IdxFolder.IsIn(path)) return IdxFolder.List(path);
        return ClassFolders.Read(path) ?? throw new InvalidDataException($"'{path}' has no sub-folder; {Forms}.");
    }
}
