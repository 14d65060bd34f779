namespace Dunlin.Optimizer.Data;

/// <summary>An image that was left out.</summary>
internal sealed record UnreadableImage(string Name, string Why)
{
    /// <summary>One sentence with the first names.</summary>
    public static string Sentence(IReadOnlyList<UnreadableImage> unreadable, int count) =>
        $"{unreadable.Count} of {count} images cannot be read: {string.Join(", ", unreadable.Take(ImageLimits.NamedCount).Select(u => $"'{u.Name}' ({u.Why})"))}{(unreadable.Count > ImageLimits.NamedCount ? ", …" : ".")}";

    /// <exception cref="InvalidDataException">They are all, or more than <paramref name="share"/> of all.</exception>
    public static void RequireFew(IReadOnlyList<UnreadableImage> unreadable, int count, double share)
    {
        if (unreadable.Count == count || unreadable.Count > share * count)
            throw new InvalidDataException($"{unreadable.Count} of {count} images cannot be read. Mend or remove them, or allow more with --max-unreadable:\n{string.Join('\n', unreadable.Select(u => $"  '{u.Name}' ({u.Why})"))}");
    }
}
