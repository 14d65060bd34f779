using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Messages;
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
        ["manifest"] = (StrictJson.Default.Manifest, () => Manifest.Format.Write(SampleDocuments.Manifest())),
        ["dsse-envelope"] = (StrictJson.Default.DsseEnvelope, () => DsseEnvelope.Format.Write(SampleDocuments.Envelope())),
        ["root"] = (StrictJson.Default.Root, () => Root.Format.Write(SampleRoot.Make())),
        ["root-chain"] = (StrictJson.Default.RootChain, () => RootChain.Format.Write(new RootChain { Schema = RootChain.CurrentSchema, Roots = [SampleDocuments.Envelope()] })),
        ["directive"] = (StrictJson.Default.Directive, () => Directive.Format.Write(SampleDocuments.Directive())),
        ["fresh"] = (StrictJson.Default.Fresh, () => Fresh.Format.Write(SampleDocuments.Fresh())),
        ["signed-command"] = (StrictJson.Default.SignedCommand, () => SignedCommand.Format.Write(SampleDocuments.SignedCommand())),
        ["journal"] = (StrictJson.Default.Journal, () => Journal.Format.Write(SampleDocuments.Journal())),
        ["floors"] = (StrictJson.Default.Floors, () => Floors.Format.Write(SampleDocuments.Floors())),
        ["seen"] = (StrictJson.Default.Seen, () => Seen.Format.Write(SampleDocuments.Seen())),
        ["quarantine"] = (StrictJson.Default.Quarantine, () => Quarantine.Format.Write(SampleDocuments.Quarantine())),
        ["idle-power"] = (StrictJson.Default.IdlePowerRecord, () => IdlePowerRecord.Format.Write(SampleDocuments.IdlePower())),
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

    private static Dictionary<string, Func<byte[], bool>> Readers { get; } = new()
    {
        ["journal"] = json => Journal.Format.Read(json).IsValid,
        ["directive"] = json => Directive.Format.Read(json).IsValid,
        ["manifest"] = json => Manifest.Format.Read(json).IsValid,
        ["dsse-envelope"] = json => DsseEnvelope.Format.Read(json).IsValid,
        ["root-chain"] = json => RootChain.Format.Read(json).IsValid,
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

    /// <param name="name">The document.</param>
    /// <param name="path">A member of its sample.</param>
    /// <param name="value">What stands there instead; null: nothing.</param>
    [Theory]
    [InlineData("journal", "directive", null)]
    [InlineData("journal", "release", null)]
    [InlineData("journal", "envelope/payload", "\"\"")]
    [InlineData("directive", "sources/0/location", null)]
    [InlineData("directive", "sources/1/location", "\"oci://registry.example/garments\"")]
    [InlineData("manifest", "input/fit", "\"stretch\"")]
    [InlineData("manifest", "input/regionOfInterest/width", "0")]
    [InlineData("manifest", "input/regionOfInterest/height", "0")]
    [InlineData("dsse-envelope", "payload", "\"\"")]
    [InlineData("root-chain", "roots/0/payload", "\"\"")]
    [InlineData("reply", "code", null)]
    public void WhatBreaksARuleBetweenMembersIsInvalid(string name, string path, string? value)
    {
        var sample = JsonNode.Parse(Documents[name].Sample())!;
        var steps = path.Split('/');
        var above = steps[..^1].Aggregate(sample, (node, step) => int.TryParse(step, out var index) ? node[index]! : node[step]!).AsObject();
        above.Remove(steps[^1]);
        if (value is not null) above[steps[^1]] = JsonNode.Parse(value);
        SchemaAssert.Invalid(name, sample.ToJsonString());
        if (Readers.TryGetValue(name, out var isRead)) Assert.False(isRead(Encoding.UTF8.GetBytes(sample.ToJsonString())));
    }

    [Fact]
    public void ABoardThatWasNeverToldAnythingIsIdleWithoutDirective() =>
        SchemaAssert.Valid("journal", Journal.Format.Write(new Journal { Schema = Journal.CurrentSchema, State = UpdateState.Idle }));

    [Fact]
    public void TheReplyToARaceHoldsAVerdict()
    {
        var reply = SampleMessages.Reply() with { Command = Command.Race, Ok = true, Code = null, Payload = JsonSerializer.SerializeToElement(SampleMessages.Race(), MessageJson.Default.Verdict) };
        SchemaAssert.Valid("reply", JsonSerializer.SerializeToUtf8Bytes(reply, MessageJson.Default.Reply));
        SchemaAssert.Invalid("reply", JsonSerializer.Serialize(reply with { Payload = JsonSerializer.SerializeToElement("pong") }, MessageJson.Default.Reply));
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
        // A record gets its checksum when it is written.
        var needed = members.Where(m => m.IsRequired || m.Name == "checksum" || m.AssociatedParameter is { HasDefaultValue: false, IsMemberInitializer: false }).Select(m => m.Name).Order(StringComparer.Ordinal);
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
