using System.CommandLine;
using System.Globalization;

namespace Dunlin.Fleet;

/// <summary>Durations as people write them: <c>90s</c>, <c>10m</c>, <c>2h</c>, <c>7d</c>.</summary>
internal static class Durations
{
    public static Option<string> NewOption(string name, string description, string standard)
    {
        var option = new Option<string>(name) { Description = $"{description} For example 90s, 10m, 2h or 7d.", DefaultValueFactory = _ => standard, HelpName = "TIME" };
        option.Validators.Add(result =>
        {
            if (!TryParse(result.GetValueOrDefault<string>(), out _)) result.AddError($"{name} must be a whole number above 0 with a unit, for example 90s, 10m, 2h or 7d.");
        });
        return option;
    }

    public static TimeSpan Get(ParseResult arguments, Option<string> option) => TryParse(arguments.GetValue(option), out var duration) ? duration : TimeSpan.Zero;

    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text is not { Length: >= 2 and <= 9 } || !int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count < 1) return false;
        var unit = text[^1] switch { 's' => 1L, 'm' => 60, 'h' => 3600, 'd' => 86_400, _ => 0 };
        if (unit == 0 || count * unit > 36_500L * 86_400) return false;
        duration = TimeSpan.FromSeconds(count * unit);
        return true;
    }
}
