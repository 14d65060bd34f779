namespace Dunlin.Fleet.Enrolment;

/// <summary>
/// Mosquitto's access list of a fleet, for <c>use_identity_as_username</c>: a device reads and writes its own topics, by
/// the name in its certificate; the operator reads all and writes what the fleet says (docs/topics.md).
/// </summary>
internal static class AccessList
{
    public const string OperatorName = "operator";

    public static string Write(string fleet) => Operator(fleet) + "\n" + Devices(fleet);

    private static string Operator(string fleet) => $"""
        user {OperatorName}
        topic read dunlin/v1/{fleet}/#
        topic write dunlin/v1/{fleet}/root
        topic write dunlin/v1/{fleet}/+/desired
        topic write dunlin/v1/{fleet}/+/fresh
        topic write dunlin/v1/{fleet}/+/command/#
        topic write dunlin/v1/{fleet}/+/blob/data

        """;

    /// <summary>The same lines for every device.</summary>
    public static string Devices(string fleet) => $"""
        pattern read dunlin/v1/{fleet}/%u/desired
        pattern read dunlin/v1/{fleet}/%u/fresh
        pattern read dunlin/v1/{fleet}/%u/command/#
        pattern read dunlin/v1/{fleet}/%u/blob/data
        pattern read dunlin/v1/{fleet}/root
        pattern write dunlin/v1/{fleet}/%u/status
        pattern write dunlin/v1/{fleet}/%u/reported
        pattern write dunlin/v1/{fleet}/%u/race
        pattern write dunlin/v1/{fleet}/%u/outcome
        pattern write dunlin/v1/{fleet}/%u/telemetry
        pattern write dunlin/v1/{fleet}/%u/result
        pattern write dunlin/v1/{fleet}/%u/reply
        pattern write dunlin/v1/{fleet}/%u/blob

        """;
}
