using System.CommandLine;

namespace Dunlin.Optimizer.Graph;

/// <summary><c>--input-shape</c>, for all commands that read a model.</summary>
internal static class InputShapeOption
{
    public static readonly Option<string?> Shape = new("--input-shape") { Description = "For a model that leaves its input open: batch, channels, height and width, for example 1x3x224x224." };

    /// <exception cref="FormatException">Not a shape.</exception>
    public static IReadOnlyList<long>? Of(ParseResult arguments) => arguments.GetValue(Shape) is { } text ? ModelInput.ParseShape(text) : null;
}
