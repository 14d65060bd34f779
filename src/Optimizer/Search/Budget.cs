using System.Globalization;

namespace Dunlin.Optimizer.Search;

/// <summary>How much a search may cost: time, or training steps where it must not depend on a clock.</summary>
/// <param name="Time">Null where steps are counted.</param>
/// <param name="Steps">Null where time is.</param>
internal sealed record Budget(TimeSpan? Time, int? Steps)
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <summary><c>30m</c>, <c>90s</c>, <c>2h</c>, <c>1h30m</c>; or <c>200steps</c>.</summary>
    /// <exception cref="FormatException">It is none of them.</exception>
    public static Budget Parse(string text)
    {
        if (text.EndsWith("steps", StringComparison.Ordinal) && int.TryParse(text[..^5], NumberStyles.None, CultureInfo.InvariantCulture, out var steps) && steps > 0) return new Budget(null, steps);
        if (TryTime(text) is { } time && time > TimeSpan.Zero && time <= Longest) return new Budget(time, null);
        throw new FormatException($"--budget is '{text}'; write a time, for example 30m, 90s or 1h30m, or training steps, for example 200steps.");
    }

    private static TimeSpan? TryTime(string text)
    {
        var total = TimeSpan.Zero;
        var number = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsAsciiDigit(text[i])) continue;
            if (!int.TryParse(text.AsSpan(number, i - number), NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return null;
            switch (text[i])
            {
                case 'h': total += TimeSpan.FromHours(value); break;
                case 'm': total += TimeSpan.FromMinutes(value); break;
                case 's': total += TimeSpan.FromSeconds(value); break;
                default: return null;
            }

            number = i + 1;
        }

        return number == text.Length ? total : null;
    }
}
