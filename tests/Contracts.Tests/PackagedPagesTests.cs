using System.Text.RegularExpressions;
using Dunlin.TestKit;

namespace Dunlin.Contracts.Tests;

/// <summary>On a board there are no pages but those of the package, all in one folder.</summary>
public sealed partial class PackagedPagesTests
{
    [Fact]
    public void APageOfThePackageLinksToPagesOfThePackageOnly()
    {
        var script = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "packaging", "targets", "package.sh"));
        var pages = Page().Matches(script).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.True(pages.Count >= 3, $"{pages.Count} pages were found");
        foreach (var page in pages)
        {
            var linked = Link().Matches(File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", page))).Select(match => match.Groups[1].Value);
            Assert.Empty(linked.Where(target => !target.Contains("://", StringComparison.Ordinal)).Except(pages).Select(target => $"{page} links to {target}"));
        }
    }

    [GeneratedRegex(@"\bdocs/([a-z-]+\.md)\b")]
    private static partial Regex Page();

    // Without the section: one of the same page has nothing before it.
    [GeneratedRegex(@"\]\(([^)#]+)[^)]*\)")]
    private static partial Regex Link();
}
