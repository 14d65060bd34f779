namespace Dunlin.Optimizer.Data;

/// <summary>A folder whose sub-folders are named for the classes of the images in them, at any depth; names with a leading dot are skipped.</summary>
internal static class ClassFolders
{
    private static readonly string[] Endings = [".jpg", ".jpeg", ".png"];
    private static readonly HashSet<string> Parts = new(StringComparer.OrdinalIgnoreCase) { "train", "training", "val", "valid", "validation", "test", "testing", "eval" };

    /// <returns>Null if there are no sub-folders.</returns>
    /// <exception cref="InvalidDataException">A class has no images, or the folders are the parts of a data set.</exception>
    public static DataListing? Read(string root)
    {
        var classes = Visible(new DirectoryInfo(root).EnumerateDirectories()).Select(d => d.Name).Order(StringComparer.Ordinal).ToList();
        RequireClasses(root, classes);
        var samples = new List<ImageSample>();
        foreach (var name in classes)
        {
            var before = samples.Count;
            AddFrom(new DirectoryInfo(Path.Combine(root, name)), name, name, samples);
            if (samples.Count == before)
                throw new InvalidDataException($"Class '{name}' in '{root}' has no images ({string.Join(", ", Endings)}); add some, or remove its folder.");
        }

        return classes.Count == 0 ? null : new DataListing(samples, classes);
    }

    public static bool IsImage(string name) => Endings.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);

    // Classes may be called so, but then their images are in them and not in folders of classes.
    private static void RequireClasses(string root, List<string> names)
    {
        bool HasClasses(string name) => new DirectoryInfo(Path.Combine(root, name)) is var part && Visible(part.EnumerateDirectories()).Any() && !Visible(part.EnumerateFiles()).Any(f => IsImage(f.Name));
        if (names.Count == 0 || !names.TrueForAll(Parts.Contains) || !names.TrueForAll(HasClasses)) return;
        throw new InvalidDataException($"'{string.Join("', '", names)}' in '{root}' are parts of a data set, not classes; give one of them with --data, for example '{Path.Combine(root, names.Find(n => n.StartsWith("train", StringComparison.OrdinalIgnoreCase)) ?? names[0])}', and keep the others to evaluate with.");
    }

    private static void AddFrom(DirectoryInfo folder, string prefix, string className, List<ImageSample> samples)
    {
        foreach (var file in Visible(folder.EnumerateFiles()).Where(f => IsImage(f.Name)).OrderBy(f => f.Name, StringComparer.Ordinal))
            samples.Add(new FileSample($"{prefix}/{file.Name}", className, file.FullName));
        // A link may lead back up.
        foreach (var inner in Visible(folder.EnumerateDirectories()).Where(d => d.LinkTarget is null).OrderBy(d => d.Name, StringComparer.Ordinal))
            AddFrom(inner, $"{prefix}/{inner.Name}", className, samples);
    }

    private static IEnumerable<T> Visible<T>(IEnumerable<T> entries) where T : FileSystemInfo => entries.Where(e => !e.Name.StartsWith('.'));
}
