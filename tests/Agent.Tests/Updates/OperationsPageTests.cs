using System.Text.RegularExpressions;
using Dunlin.TestKit;

namespace Dunlin.Agent.Tests.Updates;

/// <summary>Every code and every problem that a device can give has its line in docs/operations.md, and no line speaks of one that there is not.</summary>
public sealed partial class OperationsPageTests
{
    [Fact]
    public void EveryCodeOfTheSourceIsOnThePageAndEveryCodeOfThePageInTheSource()
    {
        var root = RepositoryFolder.Root;
        var source = ((string[])["src/Agent", "src/Runtime", "src/Bundles"])
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories))
            .SelectMany(file => CodesOf(File.ReadAllText(file))).Where(code => !IsFileName(code)).ToHashSet();
        var page = OnPage().Matches(File.ReadAllText(Path.Combine(root, "docs", "operations.md")))
            .SelectMany(match => match.Groups[1].Value.Split(", ").Select(code => code.Trim('`'))).ToList();
        Assert.Equal(page.Distinct().Order(), page.Order());
        Assert.Empty(source.Except(page));
        Assert.Empty(page.Except(source));
    }

    [Fact]
    public void EverySubjectOfAProblemHasItsRowOnThePageAndNoRowIsAboutAnother()
    {
        var root = RepositoryFolder.Root;
        var source = Directory.EnumerateFiles(Path.Combine(root, "src/Agent"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Subject().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)).Distinct().Order();
        var page = File.ReadAllText(Path.Combine(root, "docs", "operations.md")).Split("\n| about |")[1].Split("\n\n")[0].Split('\n')[2..]
            .SelectMany(row => row.Split('|')[1].Split(',', StringSplitOptions.TrimEntries)).Order();
        Assert.Equal(source, page);
    }

    // By what they begin with; and, whatever that is, where a contender or an answer of a child gets its code.
    private static IEnumerable<string> CodesOf(string source)
    {
        var given = Given().Matches(source).SelectMany(match => Text().Matches(match.Groups[1].Value)).Select(match => match.Groups[1].Value);
        if (source.Contains("namespace Dunlin.Runtime.Racing;", StringComparison.Ordinal)) given = given.Concat(Constant().Matches(source).Select(match => match.Groups[1].Value));
        // The loops of the worker have one template.
        var loops = Loop().Matches(source).Select(match => match.Groups[1].Value).ToList();
        return InSource().Matches(source).Select(match => match.Groups[1].Value)
            .Concat(given.SelectMany(code => code.Contains("{name}", StringComparison.Ordinal) ? loops.Select(loop => code.Replace("{name}", loop, StringComparison.Ordinal)) : [code]));
    }

    private static bool IsFileName(string text) => Path.GetExtension(text) is ".json" or ".dsse" or ".bin" or ".onnx" or ".weights" or ".max" or ".current";

    [GeneratedRegex("\"((?:accuracy|artifact|cache|check|child|cpu|deadline|directive|disk|fetch|fresh|golden|install|memory|model|provider|race|release|root|run|slower|swap|switch|trial|trust|update|variant|worker)\\.[a-z-]+)\"")]
    private static partial Regex InSource();

    [GeneratedRegex("(?:Leave\\(ContenderOutcome\\.[A-Za-z]+, |\\b(?:Reason)?Code = )([^,;]*)")]
    private static partial Regex Given();

    [GeneratedRegex("const string [A-Za-z]+ = \"([a-z.-]+)\"")]
    private static partial Regex Constant();

    [GeneratedRegex("\"([a-z{][a-z{}.-]*)\"")]
    private static partial Regex Text();

    [GeneratedRegex("\\.Run\\(\"([a-z]+)\"")]
    private static partial Regex Loop();

    [GeneratedRegex("SetProblem\\(\"([a-z ]+)\"")]
    private static partial Regex Subject();

    [GeneratedRegex("^\\| (`[a-z.-]+`(?:, `[a-z.-]+`)*) \\| (?!-|meaning)", RegexOptions.Multiline)]
    private static partial Regex OnPage();
}
