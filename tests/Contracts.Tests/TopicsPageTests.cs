using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dunlin.TestKit;
using Dunlin.TestKit.Schemas;

namespace Dunlin.Contracts.Tests;

/// <summary>What docs/topics.md shows is what the agent sends.</summary>
public sealed partial class TopicsPageTests
{
    // Of `Guid.NewGuid().ToString("N")`, as AgentHost cuts it.
    private const int BootIdLength = 16;

    [Fact]
    public void EveryExampleIsAValidMessageWithABootIdLikeTheAgents()
    {
        var examples = Example().Matches(File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", "topics.md")))
            .Select(match => (Json: match.Groups[1].Value, Message: JsonNode.Parse(match.Groups[1].Value)!.AsObject()))
            .Where(example => example.Message["schema"] is not null).ToList();
        Assert.Equal(4, examples.Count);
        foreach (var (json, message) in examples)
        {
            var name = message["schema"]!.GetValue<string>().Split('.')[1];
            SchemaAssert.Valid(name == "command" ? "signed-command" : name, json);
            Assert.Matches($"^[0-9a-f]{{{BootIdLength}}}$", message["bootId"]!.GetValue<string>());
        }
    }

    [GeneratedRegex("```json\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
