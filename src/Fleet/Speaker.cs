using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Dunlin.Fleet;

/// <summary>What a command says: sentences for people, or one JSON object for programs. Complaints go to standard error either way.</summary>
internal sealed record Speaker(TextWriter Output, TextWriter Errors, bool IsJson)
{
    private const string JsonOption = "--json";

    public static Option<bool> NewJsonOption() => new(JsonOption) { Description = "Print one JSON object instead of sentences." };

    public static Speaker Of(ParseResult arguments) =>
        new(arguments.InvocationConfiguration.Output, arguments.InvocationConfiguration.Error, arguments.GetValue<bool>(JsonOption));

    public void Say<T>(T report, JsonTypeInfo<T> type, string text)
    {
        Output.WriteLine(IsJson ? JsonSerializer.Serialize(report, type) : text);
        Output.Flush();
    }

    public void Complain(string sentence) => Errors.WriteLine($"dunlin-fleet: {sentence}");
}
