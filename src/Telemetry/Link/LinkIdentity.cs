using Dunlin.Contracts.Messages;

namespace Dunlin.Telemetry.Link;

/// <summary>Who speaks on the link.</summary>
/// <param name="Topics">Fleet and device id; the latter is the client id as well.</param>
/// <param name="BootId">One per start of the agent.</param>
/// <param name="AgentVersion">As in <c>--version</c>.</param>
/// <param name="Hardware">What the board is.</param>
public sealed record LinkIdentity(Topics Topics, string BootId, string AgentVersion, Hardware Hardware)
{
    internal DeviceStatus Status(DeviceState state, DateTimeOffset? time) => new()
    {
        Schema = DeviceStatus.CurrentSchema,
        State = state,
        BootId = BootId,
        AgentVersion = AgentVersion,
        Hardware = Hardware,
        Time = time,
    };
}
