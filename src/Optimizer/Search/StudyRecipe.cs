using System.Text.Json;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Optimizer.Search;

/// <summary>What must stay the same for a study to be gone on with. The budget may grow, and verdicts may come.</summary>
/// <param name="Schema">Of the folder.</param>
/// <param name="Model">The reference, as it was given.</param>
/// <param name="Split">The data, and what its images are used for.</param>
/// <param name="Options">By name, as the command line says them.</param>
/// <param name="Images">All that the data had, by name; the study uses no others, however many come later.</param>
internal sealed record StudyRecipe(string Schema, Digest Model, Digest Split, IReadOnlyDictionary<string, string> Options, IReadOnlyList<string> Images)
{
    public const string CurrentSchema = "dunlin.study.v4";

    /// <exception cref="InvalidDataException">It is no recipe.</exception>
    public static StudyRecipe Read(string path)
    {
        try
        {
            if (JsonSerializer.Deserialize(File.ReadAllBytes(path), StudyJson.Default.StudyRecipe) is { Schema: CurrentSchema, Options: not null, Images: not null } recipe) return recipe;
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"'{path}' is not a study: {error.Message}", error);
        }

        throw new InvalidDataException($"'{path}' is not a study of the form {CurrentSchema}; name another folder with --work.");
    }

    /// <exception cref="InvalidDataException">The study in that folder is of another recipe; the message says what changed.</exception>
    public void RequireSame(StudyRecipe wanted, string folder)
    {
        var changes = Changes(wanted).ToList();
        if (changes.Count > 0)
            throw new InvalidDataException($"The study '{folder}' was begun otherwise: {string.Join("; ", changes)}. Give what it was begun with, or name another folder with --work.");
    }

    private IEnumerable<string> Changes(StudyRecipe wanted)
    {
        if (Model != wanted.Model) yield return $"the model was {Short(Model)}, now {Short(wanted.Model)}";
        if (Split != wanted.Split) yield return $"the data or its split was {Short(Split)}, now {Short(wanted.Split)}";
        foreach (var name in Options.Keys.Union(wanted.Options.Keys).Order(StringComparer.Ordinal))
        {
            var (was, now) = (Options.GetValueOrDefault(name, "not given"), wanted.Options.GetValueOrDefault(name, "not given"));
            if (was != now) yield return $"{name} was {was}, now {now}";
        }
    }

    private static string Short(Digest digest) => digest.Hex[..12];
}
