using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using Xunit;

namespace Dunlin.TestKit.Schemas;

/// <summary>Compares JSON with the schemas of docs/schemas, by an independent implementation of JSON Schema.</summary>
public static class SchemaAssert
{
    // JsonSchema.Net resolves references on the first evaluation: two at once have let an invalid document pass.
    private static readonly Lock Evaluating = new();

    /// <summary>The folder of the schemas in this working tree.</summary>
    public static string Folder { get; } = Path.Combine(RepositoryFolder.Root, "docs", "schemas");

    // All of them at once: one refers to another by its $id.
    private static readonly Dictionary<string, JsonSchema> Schemas = Directory.GetFiles(Folder, "*.schema.json").ToDictionary(NameOf, Register);

    /// <param name="name">As in <c>telemetry.schema.json</c>: <c>telemetry</c>.</param>
    /// <param name="json">A whole document.</param>
    public static void Valid(string name, string json)
    {
        var errors = Errors(name, json);
        Assert.True(errors.Count == 0, $"Not a valid {name}: {string.Join("; ", errors)}\n{json}");
    }

    /// <inheritdoc cref="Valid(string, string)"/>
    public static void Valid(string name, ReadOnlySpan<byte> json) => Valid(name, System.Text.Encoding.UTF8.GetString(json));

    public static void Invalid(string name, string json) =>
        Assert.True(Errors(name, json).Count > 0, $"A valid {name}, and it should not be: {json}");

    /// <summary>The schema as JSON, for tests that compare it with a record.</summary>
    public static JsonObject Read(string name) => JsonNode.Parse(File.ReadAllText(PathOf(name)))!.AsObject();

    private static List<string> Errors(string name, string json)
    {
        using var document = JsonDocument.Parse(json);
        var results = Evaluate(name, document.RootElement);
        if (results.IsValid) return [];
        var errors = (results.Details ?? []).Where(d => d.Errors is not null)
            .SelectMany(d => d.Errors!.Select(e => $"{d.InstanceLocation}: {e.Value}")).ToList();
        return errors.Count > 0 ? errors : ["it does not match"];
    }

    private static EvaluationResults Evaluate(string name, JsonElement document)
    {
        lock (Evaluating)
        {
            return Schemas[name].Evaluate(document, new EvaluationOptions { OutputFormat = OutputFormat.List, RequireFormatValidation = true });
        }
    }

    private static JsonSchema Register(string path)
    {
        var schema = JsonSchema.FromText(File.ReadAllText(path));
        SchemaRegistry.Global.Register(schema);
        return schema;
    }

    private static string NameOf(string path) => Path.GetFileName(path).Replace(".schema.json", "", StringComparison.Ordinal);

    private static string PathOf(string name) => Path.Combine(Folder, name + ".schema.json");
}
