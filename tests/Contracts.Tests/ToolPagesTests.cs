using System.Text.RegularExpressions;
using Dunlin.TestKit;

namespace Dunlin.Contracts.Tests;

/// <summary>Every verb and option of a tool is on its page, and no option of the page is one that the tool does not have.</summary>
public sealed partial class ToolPagesTests
{
    /// <summary>Of other programs, or of every program.</summary>
    private static readonly string[] OfOthers = ["--help", "--quick", "--replace-trust", "--security-epoch", "--shell", "--system"];

    [Theory]
    [InlineData("Optimizer", "optimizer")]
    [InlineData("Fleet", "fleet")]
    public void EveryVerbAndOptionOfTheSourceIsOnThePageAndEveryOptionOfThePageInTheSource(string project, string tool)
    {
        var sources = Directory.EnumerateFiles(Path.Combine(RepositoryFolder.Root, "src", project), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText).ToList();
        var page = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", tool + ".md"));
        var options = sources.SelectMany(source => InSource().Matches(source).Select(match => match.Groups[1].Value)).ToHashSet();
        var told = OnPage().Matches(page).Select(match => match.Value).ToHashSet();
        Assert.True(options.Count > 20, $"{options.Count} options were found");
        Assert.Empty(options.Except(told));
        Assert.Empty(told.Except(options).Except(OfOthers));

        var verbs = sources.SelectMany(source => Verb().Matches(source).Select(match => match.Groups[1].Value)).ToList();
        Assert.True(verbs.Count > 5, $"{verbs.Count} verbs were found");
        Assert.All(verbs, verb => Assert.Matches($@"(?:dunlin-{tool} |`)(?:[a-z-]+ )?{verb}\b", page));
    }

    [Fact]
    public void EveryOptionOfTheAgentsCommandsIsInTheReadme()
    {
        var options = Directory.EnumerateFiles(Path.Combine(RepositoryFolder.Root, "src", "Agent", "Commands"), "*.cs")
            .SelectMany(file => Option().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)).ToHashSet();
        Assert.True(options.Count > 3, $"{options.Count} options were found");
        Assert.Empty(options.Except(OnPage().Matches(File.ReadAllText(Path.Combine(RepositoryFolder.Root, "README.md"))).Select(match => match.Value)));
    }

    [GeneratedRegex("new Option<[a-z?\\[\\]]+>\\(\"(--[a-z-]+)\"")]
    private static partial Regex Option();

    [GeneratedRegex("\"(--[a-z][a-z0-9-]*)\"")]
    private static partial Regex InSource();

    [GeneratedRegex("--[a-z][a-z0-9-]*")]
    private static partial Regex OnPage();

    [GeneratedRegex("Command\\(\"([a-z-]+)\"")]
    private static partial Regex Verb();
}
