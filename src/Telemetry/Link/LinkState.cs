namespace Dunlin.Telemetry.Link;

/// <summary>How the link does, for STATUS= and <c>reported</c>.</summary>
/// <param name="IsConnected">Publishing works.</param>
/// <param name="Detail">A sentence; when not connected, why, and what to do about it.</param>
/// <param name="Problem">A sentence that belongs into <c>Reported.Problems</c> even while connected, or null.</param>
/// <param name="ConnectCount">Connections made since the start.</param>
public sealed record LinkState(bool IsConnected, string Detail, string? Problem, long ConnectCount);

/// <summary>What became of a message with QoS 1.</summary>
public enum Delivery
{
    /// <summary>The broker has it.</summary>
    Acknowledged = 1,

    /// <summary>There is no link, or it broke before the acknowledgement; send it again.</summary>
    NotSent = 2,

    /// <summary>The broker does not want it; sending it again will not help until its configuration changes.</summary>
    Refused = 3,
}
