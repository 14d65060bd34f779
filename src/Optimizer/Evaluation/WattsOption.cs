using System.CommandLine;

namespace Dunlin.Optimizer.Evaluation;

/// <summary>What the energy estimate (CPU time × watts) takes a busy core to add.</summary>
internal static class WattsOption
{
    /// <summary>What a device's agent takes where it is not told (<c>Power:WattsPerCore</c>).</summary>
    public const double Usual = 3;

    public static readonly Option<double> Watts = new("--watts") { Description = "What a busy core is taken to add, for the energy estimate (CPU time × watts).", DefaultValueFactory = _ => Usual };

    /// <exception cref="FormatException">The value is out of bounds.</exception>
    public static double Of(ParseResult arguments) => arguments.GetValue(Watts) is > 0 and <= 1000 and var watts
        ? watts
        : throw new FormatException($"--watts is {arguments.GetValue(Watts)}; it must be above 0 and at most 1000.");
}
