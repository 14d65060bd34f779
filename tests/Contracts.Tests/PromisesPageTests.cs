using System.Globalization;
using System.Text.RegularExpressions;
using Dunlin.TestKit;

namespace Dunlin.Contracts.Tests;

/// <summary>Every test that docs/promises.md names is there, and every test that says which promise it holds is on the page.</summary>
public sealed partial class PromisesPageTests
{
    [Fact]
    public void ThePageAndTheTestsNameEachOther()
    {
        var sources = Directory.EnumerateFiles(Path.Combine(RepositoryFolder.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal)).ToList();
        var rows = File.ReadLines(Path.Combine(RepositoryFolder.Root, "docs", "promises.md")).Select(line => Row().Match(line)).Where(match => match.Success)
            .ToDictionary(match => NumberOf(match.Groups[1]), match => Name().Matches(match.Groups[2].Value).Select(name => name.Groups[1].Value).ToHashSet());
        Assert.Empty(rows.Values.SelectMany(names => names).Except(sources.Select(file => Path.GetFileNameWithoutExtension(file))));

        var told = sources.SelectMany(file => Mention().Matches(File.ReadAllText(file)).SelectMany(m => Number().Matches(m.Value)).Select(n => (Row: NumberOf(n), Test: Path.GetFileNameWithoutExtension(file)))).Distinct().ToList();
        Assert.True(told.Count > 20, $"{told.Count} mentions were found");
        Assert.DoesNotContain(told, t => !rows.TryGetValue(t.Row, out var names) || !names.Contains(t.Test));
    }

    private static int NumberOf(Capture text) => int.Parse(text.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\| (\d+) \|.*\| ([^|]+) \|$")]
    private static partial Regex Row();

    [GeneratedRegex("`([A-Za-z]+)`")]
    private static partial Regex Name();

    [GeneratedRegex("(?:Row|Rows|row|rows) [0-9]+(?:(?:, | to )[0-9]+)*")]
    private static partial Regex Mention();

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Number();
}
