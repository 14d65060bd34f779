using Dunlin.Contracts.Documents;
using Dunlin.Contracts.Messages;

namespace Dunlin.Contracts.Signing;

/// <summary>
/// A command that shows or changes more of a device than anybody who reaches the broker may ask for: <c>snapshot</c>, <c>explain</c>,
/// <c>log-level</c>. The payload of an envelope of the directive's keys, good once, soon, and for one start of one device.
/// </summary>
public sealed record SignedCommand
{
    public const string CurrentSchema = "dunlin.command.v1";

    /// <summary>Of the payload of a command's envelope.</summary>
    public static DocumentFormat<SignedCommand> Format { get; } = new("command", 16 * 1024, StrictJson.Default.SignedCommand, SignedCommandRules.Check);

    /// <summary>From issue to expiry. What is older was held back by somebody.</summary>
    public static readonly TimeSpan LongestValidity = TimeSpan.FromHours(1);

    /// <summary>For how long another level of logging may hold.</summary>
    public static readonly TimeSpan LongestLogLevel = TimeSpan.FromDays(1);

    public static readonly IReadOnlyList<string> LogLevels = ["verbose", "debug", "information", "warning", "error"];

    public required string Schema { get; init; }
    public required string Fleet { get; init; }
    public required string Device { get; init; }

    /// <summary>Of the device's <c>status</c>: what was said to one start of the agent means nothing to the next, so that a device needs to remember no nonce on its disk.</summary>
    public required string BootId { get; init; }

    /// <summary>Another for each command, 16 to 64 lower-case letters and digits; the reply has it as its id.</summary>
    public required string Nonce { get; init; }

    /// <summary>The last level of the topic; <see cref="Command.Snapshot"/>, <see cref="Command.Explain"/> or <see cref="Command.LogLevel"/>.</summary>
    public required string Name { get; init; }

    public required DateTimeOffset Issued { get; init; }
    public required DateTimeOffset Expires { get; init; }

    /// <summary>For <see cref="Command.LogLevel"/> only: one of <see cref="LogLevels"/>.</summary>
    public string? Level { get; init; }

    /// <summary>For <see cref="Command.LogLevel"/> only: after so many seconds the configured level holds again; at most <see cref="LongestLogLevel"/>.</summary>
    public int? Seconds { get; init; }
}
