using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace Dunlin.Optimizer;

/// <summary>Holds the numbers of a command line to their bounds.</summary>
internal static class Bounds
{
    /// <exception cref="FormatException">The value is below <paramref name="low"/> or above <paramref name="high"/>.</exception>
    public static T Checked<T>(this ParseResult arguments, Option<T> option, T low, T high)
        where T : struct, INumber<T>, IMinMaxValue<T> => Checked(option.Name, arguments.GetValue(option), low, high);

    /// <summary>The same for what need not be given.</summary>
    public static T? Checked<T>(this ParseResult arguments, Option<T?> option, T low, T high)
        where T : struct, INumber<T>, IMinMaxValue<T> => arguments.GetValue(option) is { } value ? Checked(option.Name, value, low, high) : null;

    /// <exception cref="FormatException">The value is below <paramref name="low"/>.</exception>
    public static int AtLeast(this ParseResult arguments, Option<int> option, int low) => arguments.Checked(option, low, int.MaxValue);

    private static T Checked<T>(string name, T value, T low, T high)
        where T : struct, INumber<T>, IMinMaxValue<T> => value >= low && value <= high
        ? value
        : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; it must be {(high == T.MaxValue ? $"at least {low}" : $"from {low} to {high}")}."));
}
