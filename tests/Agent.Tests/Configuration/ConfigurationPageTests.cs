using System.Reflection;
using System.Text.RegularExpressions;
using Dunlin.Agent.Configuration;
using Dunlin.TestKit;

namespace Dunlin.Agent.Tests.Configuration;

/// <summary>Every key of every section of the configuration has its row in docs/configuration.md, and the page speaks of no key that there is not.</summary>
public sealed partial class ConfigurationPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", "configuration.md"));

    [Fact]
    public void EveryKeyHasOneRowAndEveryKeyOfThePageIsOne()
    {
        var sections = typeof(AgentOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance).ToDictionary(section => SectionOf(section.PropertyType), section => section.PropertyType);
        Assert.True(sections.Count > 5, $"{sections.Count} sections were found");
        var keys = sections.SelectMany(section => KeysOf(section.Value).Select(key => $"{section.Key}:{key}")).ToList();
        var rows = Row().Matches(Page).SelectMany(row => Key().Matches(row.Value).Select(key => key.Value)).ToList();
        Assert.Equal(keys.Order(), rows.Order());
        var told = Key().Matches(Page).Where(key => sections.ContainsKey(key.Groups[1].Value)).Select(key => key.Value);
        Assert.Empty(told.Except(keys));
    }

    [Fact]
    public void EveryKeyOfACredentialIsOnThePage() => Assert.All(KeysOf(typeof(HostCredential)), key => Assert.Contains($"`{key}`", Page, StringComparison.Ordinal));

    private static string SectionOf(Type options) => (string)options.GetField("Section")!.GetRawConstantValue()!;

    private static IEnumerable<string> KeysOf(Type options) =>
        options.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.SetMethod is { IsPublic: true }).Select(property => property.Name);

    [GeneratedRegex("^\\| `[^|]*\\|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("\\b([A-Z][A-Za-z]+):([A-Z][A-Za-z0-9]+)")]
    private static partial Regex Key();
}
