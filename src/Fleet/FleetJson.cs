using System.Text.Json.Serialization;
using Dunlin.Fleet.Commanding;
using Dunlin.Fleet.Enrolment;
using Dunlin.Fleet.Publishing;
using Dunlin.Fleet.Pushing;
using Dunlin.Fleet.Rotating;
using Dunlin.Fleet.Serving;
using Dunlin.Fleet.Signing;

namespace Dunlin.Fleet;

/// <summary>What commands print with <c>--json</c>, and what <c>push</c> and <c>serve</c> say to each other.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(KeysReport))]
[JsonSerializable(typeof(SignReport))]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlAnswer))]
[JsonSerializable(typeof(PushReport))]
[JsonSerializable(typeof(FreshReport))]
[JsonSerializable(typeof(PublishReport))]
[JsonSerializable(typeof(RotateReport))]
[JsonSerializable(typeof(EnrolReport))]
[JsonSerializable(typeof(RevokeReport))]
[JsonSerializable(typeof(RevokedDeviceReport))]
[JsonSerializable(typeof(PingReport))]
[JsonSerializable(typeof(RaceReport))]
[JsonSerializable(typeof(SnapshotReport))]
[JsonSerializable(typeof(ExplainReport))]
[JsonSerializable(typeof(LogLevelReport))]
internal sealed partial class FleetJson : JsonSerializerContext;
