using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Dunlin.Fleet.Connecting;

/// <summary>What a device says, fit for a terminal and for XML 1.0: no control characters, nothing that is no character, no novels.</summary>
internal static class DeviceText
{
    private const int MaximumLength = 1000;

    [return: NotNullIfNotNull(nameof(text))]
    public static string? Clean(string? text) => text is null ? null
        : string.Concat(text.EnumerateRunes().Take(MaximumLength).Select(rune => Rune.IsControl(rune) || rune.Value is 0xFFFE or 0xFFFF ? " " : rune.ToString()));
}
