using System.CommandLine;

namespace Dunlin.Optimizer.Pruning;

/// <summary><c>--step</c>: what the widths that are left must be multiples of.</summary>
internal static class StepOption
{
    public static readonly Option<int?> Step = new("--step") { Description = "Widths become multiples of it; 1 for any width. Measured on this CPU if not given." };

    /// <returns>Channels; null where it is to be measured.</returns>
    /// <exception cref="FormatException">It is out of bounds.</exception>
    public static int? Of(ParseResult arguments) => arguments.Checked(Step, 1, 256);
}
