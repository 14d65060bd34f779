using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Schemas;

namespace Dunlin.Contracts.Tests;

public sealed class SchemaTests
{
    public static TheoryData<string> Names => [.. Documents.Keys.Order(StringComparer.Ordinal)];

    private static Dictionary<string, (JsonTypeInfo Type, Func<byte[]> Sample)> Documents { get; } = new()
    {
        ["manifest"] = (StrictJson.Default.Manifest, () => ManifestReader.Write(SampleDocuments.Manifest())),
        ["dsse-envelope"] = (StrictJson.Default.DsseEnvelope, () => EnvelopeReader.Write(SampleDocuments.Envelope())),
        ["root"] = (StrictJson.Default.Root, () => RootReader.Write(SampleRoot.Make())),
        ["root-chain"] = (StrictJson.Default.RootChain, () => RootChainReader.Write(new RootChain { Schema = RootChain.CurrentSchema, Roots = [SampleDocuments.Envelope()] })),
        ["directive"] = (StrictJson.Default.Directive, () => DirectiveReader.Write(SampleDocuments.Directive())),
        ["fresh"] = (StrictJson.Default.Fresh, () => FreshReader.Write(SampleDocuments.Fresh())),
        ["signed-command"] = (StrictJson.Default.SignedCommand, () => SignedCommandReader.Write(SampleDocuments.SignedCommand())),
        ["journal"] = (StrictJson.Default.Journal, () => JournalReader.Write(SampleDocuments.Journal())),
        ["floors"] = (StrictJson.Default.Floors, () => FloorsReader.Write(SampleDocuments.Floors())),
        ["seen"] = (StrictJson.Default.Seen, () => SeenReader.Write(SampleDocuments.Seen())),
        ["quarantine"] = (StrictJson.Default.Quarantine, () => QuarantineReader.Write(SampleDocuments.Quarantine())),
        ["idle-power"] = (StrictJson.Default.IdlePowerRecord, () => IdlePowerReader.Write(SampleDocuments.IdlePower())),
        ["status"] = Message(MessageJson.Default.DeviceStatus, SampleMessages.Status()),
        ["reported"] = Message(MessageJson.Default.Reported, SampleMessages.Reported()),
        ["race"] = Message(MessageJson.Default.Verdict, SampleMessages.Race()),
        ["outcome"] = Message(MessageJson.Default.Outcome, SampleMessages.Outcome()),
        ["telemetry"] = Message(MessageJson.Default.TelemetryWindow, SampleMessages.Telemetry()),
        ["result"] = Message(MessageJson.Default.Classification, SampleMessages.Result()),
        ["command"] = Message(MessageJson.Default.Command, SampleMessages.Command()),
        ["reply"] = Message(MessageJson.Default.Reply, SampleMessages.Reply()),
        ["blob-request"] = Message(MessageJson.Default.BlobRequest, SampleMessages.BlobRequest()),
    };

    [Fact]
    public void EverySchemaHasASampleAndEverySampleASchema() =>
        Assert.Equal(
            Documents.Keys.Order(StringComparer.Ordinal),
            Directory.GetFiles(SchemaAssert.Folder, "*.schema.json").Select(f => Path.GetFileName(f).Replace(".schema.json", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Names))]
    public void ASampleWithEveryMemberIsValid(string name) => SchemaAssert.Valid(name, Documents[name].Sample());

    [Theory]
    [MemberData(nameof(Names))]
    public void TheSampleHasEveryMemberOfTheSchema(string name)
    {
        var sample = JsonNode.Parse(Documents[name].Sample())!.AsObject();
        Assert.Equal(Keys(SchemaAssert.Read(name)["properties"]!.AsObject()), Keys(sample));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AMissingMemberAndAWrongTypeAreInvalid(string name)
    {
        var schema = SchemaAssert.Read(name);
        foreach (var required in schema["required"]?.AsArray() ?? [])
        {
            var sample = JsonNode.Parse(Documents[name].Sample())!.AsObject();
            sample.Remove(required!.GetValue<string>());
            SchemaAssert.Invalid(name, sample.ToJsonString());
            sample[required.GetValue<string>()] = new JsonArray(new JsonArray());
            SchemaAssert.Invalid(name, sample.ToJsonString());
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SchemaAndRecordHaveTheSameMembersAllTheWayDown(string name)
    {
        var schema = SchemaAssert.Read(name);
        Compare(name, schema, schema["$defs"]?.AsObject(), Documents[name].Type, []);
    }

    private static void Compare(string path, JsonObject schema, JsonObject? definitions, JsonTypeInfo type, HashSet<Type> above)
    {
        if (schema["$ref"] is { } reference)
        {
            Compare(path, definitions![reference.GetValue<string>().Split('/')[^1]]!.AsObject(), definitions, type, above);
            return;
        }
        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object when above.Add(type.Type):
                CompareMembers(path, schema, definitions, type, above);
                above.Remove(type.Type);
                break;
            case JsonTypeInfoKind.Enumerable:
                Compare(path + "[]", schema["items"]!.AsObject(), definitions, type.Options.GetTypeInfo(type.ElementType!), above);
                break;
            case JsonTypeInfoKind.Dictionary:
                Compare(path + ".*", schema["additionalProperties"]!.AsObject(), definitions, type.Options.GetTypeInfo(type.ElementType!), above);
                break;
            default:
                break;
        }
    }

    private static void CompareMembers(string path, JsonObject schema, JsonObject? definitions, JsonTypeInfo type, HashSet<Type> above)
    {
        var properties = schema["properties"]!.AsObject();
        var members = type.Properties.Where(p => p.Get is not null && (p.Set is not null || p.AssociatedParameter is not null)).ToList();
        Assert.True(Keys(properties).SequenceEqual(members.Select(m => m.Name).Order(StringComparer.Ordinal)),
            $"{path}: the schema has {string.Join(", ", Keys(properties))}; {type.Type.Name} has {string.Join(", ", members.Select(m => m.Name).Order(StringComparer.Ordinal))}");
        var required = (schema["required"]?.AsArray() ?? []).Select(r => r!.GetValue<string>()).Order(StringComparer.Ordinal);
        var needed = members.Where(m => m.IsRequired || m.AssociatedParameter is { HasDefaultValue: false, IsMemberInitializer: false }).Select(m => m.Name).Order(StringComparer.Ordinal);
        Assert.True(required.SequenceEqual(needed), $"{path}: the schema requires {string.Join(", ", required)}; {type.Type.Name} requires {string.Join(", ", needed)}");
        foreach (var member in members)
        {
            if (properties[member.Name] is JsonObject inner)
                Compare($"{path}.{member.Name}", inner, definitions, type.Options.GetTypeInfo(Nullable.GetUnderlyingType(member.PropertyType) ?? member.PropertyType), above);
        }
    }

    private static IEnumerable<string> Keys(JsonObject o) => o.Select(p => p.Key).Order(StringComparer.Ordinal);

    private static (JsonTypeInfo Type, Func<byte[]> Sample) Message<T>(JsonTypeInfo<T> type, T sample) => (type, () => JsonSerializer.SerializeToUtf8Bytes(sample, type));
}
