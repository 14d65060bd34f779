using System.Text.Json.Serialization;
using Dunlin.Contracts.Documents;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Contracts.Worker;

namespace Dunlin.Contracts;

/// <summary>Strict JSON for what is signed, stored, or comes from a child: unknown, missing, duplicate and null-where-forbidden members are errors.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    MaxDepth = 16,
    Converters =
    [
        typeof(UtcTimeConverter),
        typeof(EnumNameConverter<TensorLayout>),
        typeof(EnumNameConverter<ChannelOrder>),
        typeof(EnumNameConverter<ElementType>),
        typeof(EnumNameConverter<FitMode>),
        typeof(EnumNameConverter<Interpolation>),
        typeof(EnumNameConverter<Activation>),
        typeof(EnumNameConverter<Precision>),
        typeof(EnumNameConverter<SourceKind>),
        typeof(EnumNameConverter<Objective>),
        typeof(EnumNameConverter<UpdateState>),
        typeof(EnumNameConverter<ContenderOutcome>),
        typeof(EnumNameConverter<EnergyMethod>),
        typeof(EnumNameConverter<EnergyScope>),
        typeof(EnumNameConverter<CameraKind>),
    ],
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(DsseEnvelope))]
[JsonSerializable(typeof(Root))]
[JsonSerializable(typeof(RootChain))]
[JsonSerializable(typeof(Directive))]
[JsonSerializable(typeof(Fresh))]
[JsonSerializable(typeof(SignedCommand))]
[JsonSerializable(typeof(Journal))]
[JsonSerializable(typeof(Floors))]
[JsonSerializable(typeof(Seen))]
[JsonSerializable(typeof(Quarantine))]
[JsonSerializable(typeof(IdlePowerRecord))]
[JsonSerializable(typeof(Verdict))]
[JsonSerializable(typeof(RaceConditions))]
[JsonSerializable(typeof(ToChild))]
[JsonSerializable(typeof(FromChild))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
public sealed partial class StrictJson : JsonSerializerContext;

/// <summary>JSON of the MQTT messages: members that a later version added are ignored.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(UtcTimeConverter)],
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(DeviceStatus))]
[JsonSerializable(typeof(Reported))]
[JsonSerializable(typeof(Verdict))]
[JsonSerializable(typeof(Outcome))]
[JsonSerializable(typeof(OutcomeKey))]
[JsonSerializable(typeof(TelemetryWindow))]
[JsonSerializable(typeof(Classification))]
[JsonSerializable(typeof(Command))]
[JsonSerializable(typeof(Reply))]
[JsonSerializable(typeof(Snapshot))]
[JsonSerializable(typeof(Explanation))]
[JsonSerializable(typeof(LogLevelChange))]
[JsonSerializable(typeof(BlobRequest))]
public sealed partial class MessageJson : JsonSerializerContext;
