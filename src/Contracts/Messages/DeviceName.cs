using System.Text.RegularExpressions;

namespace Dunlin.Contracts.Messages;

/// <summary>The rule for device ids, fleet names, bundle names and variant ids, all of which stand in topics and paths.</summary>
public static partial class DeviceName
{
    public const string Rule = "[a-z0-9][a-z0-9-]{0,62}";

    public static bool IsValid(string? name) => name is not null && Pattern().IsMatch(name);

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,62}\z")]
    private static partial Regex Pattern();
}
