using System.Text;
using Dunlin.Bundles.Durability;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Optimizer.Training;

/// <summary>The epoch after which the images of the check were answered best.</summary>
internal sealed record BestEpoch(int Epoch, double Loss, Weights Weights);

/// <summary>A training run after some steps, so that an interrupted one goes on. Kept beside the model as <c>NAME.checkpoint</c>.</summary>
internal sealed record Checkpoint(string Recipe, int StepCount, Weights Weights, Weights Velocity, BestEpoch? Best)
{
    private const string Magic = "dunlin.checkpoint.v3";

    /// <summary>Everything that must be equal for a checkpoint to be of use to a run.</summary>
    /// <param name="options">How it is trained.</param>
    /// <param name="images">On which images.</param>
    /// <param name="teacher">What it learns from.</param>
    /// <param name="grids">What it is trained for; null for float.</param>
    /// <param name="start">The graph with the weights that it begins with.</param>
    public static string RecipeOf(TrainingOptions options, Digest images, string teacher, Digest? grids, Digest start) =>
        $"{options}, images {images}, teacher {teacher}, grids {grids}, from {start}";

    public void Save(string path) => DurableFile.Write(path, file =>
    {
        using var writer = new BinaryWriter(file, Encoding.UTF8, leaveOpen: true);
        writer.Write(Magic);
        writer.Write(Recipe);
        writer.Write(StepCount);
        Weights.Write(writer);
        Velocity.Write(writer);
        writer.Write(Best is not null);
        if (Best is null) return;
        writer.Write(Best.Epoch);
        writer.Write(Best.Loss);
        Best.Weights.Write(writer);
    });

    /// <summary>Null where there is none, or it is of another recipe, or damaged: the run then begins anew.</summary>
    public static Checkpoint? TryLoad(string path, string recipe)
    {
        if (!File.Exists(path)) return null;
        try
        {
            using var reader = new BinaryReader(File.OpenRead(path));
            if (reader.ReadString() != Magic || reader.ReadString() != recipe) return null;
            return new Checkpoint(
                recipe, reader.ReadInt32(), Weights.Read(reader), Weights.Read(reader),
                reader.ReadBoolean() ? new BestEpoch(reader.ReadInt32(), reader.ReadDouble(), Weights.Read(reader)) : null);
        }
        catch (Exception error) when (error is IOException or FormatException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>Moves the progress of a run of another recipe out of the way.</summary>
    /// <returns>What differs, and where it is now; null where there is no such progress.</returns>
    public static string? KeepAside(string path, string recipe)
    {
        if (TryReadRecipe(path) is not { } other || other == recipe) return null;
        var aside = Path.ChangeExtension(path, $".{Digest.Of(Encoding.UTF8.GetBytes(other)).Hex[..8]}.checkpoint");
        File.Move(path, aside, overwrite: true);
        return $"'{path}' is the progress of another run ({Changes(other, recipe)}), kept as '{aside}' now; training begins anew. To go on with that run, give what it was begun with, and rename the file back.";
    }

    private static string? TryReadRecipe(string path)
    {
        if (!File.Exists(path)) return null;
        try
        {
            using var reader = new BinaryReader(File.OpenRead(path));
            return reader.ReadString() == Magic ? reader.ReadString() : null;
        }
        catch (Exception error) when (error is IOException or FormatException)
        {
            return null;
        }
    }

    private static string Changes(string was, string now)
    {
        var (before, after) = (Parts(was), Parts(now));
        return $"{string.Join(", ", before.Except(after).Select(Short))}; now {string.Join(", ", after.Except(before).Select(Short))}";
    }

    private static string[] Parts(string recipe) => recipe.Split([$"{nameof(TrainingOptions)} {{ ", " }", ", "], StringSplitOptions.RemoveEmptyEntries);

    // Digests are long.
    private static string Short(string part) => part.Length <= 32 ? part : $"{part[..32]}…";
}
