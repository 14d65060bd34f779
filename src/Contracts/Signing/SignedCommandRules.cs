using System.Text.RegularExpressions;
using Dunlin.Contracts.Documents;
using Dunlin.Contracts.Messages;

namespace Dunlin.Contracts.Signing;

/// <summary>What must hold in a signed command, whoever it is for.</summary>
internal static partial class SignedCommandRules
{
    private static readonly string[] Names = [Command.Snapshot, Command.Explain, Command.LogLevel];

    internal static void Check(SignedCommand c, Findings f)
    {
        f.Schema("$.schema", c.Schema, SignedCommand.CurrentSchema);
        f.Name("$.fleet", c.Fleet);
        f.Name("$.device", c.Device);
        f.Text("$.bootId", c.BootId, 64);
        f.Require(Nonce().IsMatch(c.Nonce), "$.nonce", c.Nonce, "must be 16 to 64 lower-case letters and digits", "draw another at random");
        f.Require(Names.Contains(c.Name), "$.name", c.Name, $"must be one of {string.Join(", ", Names)}", "send others unsigned");
        f.Require(c.Expires > c.Issued && c.Expires - c.Issued <= SignedCommand.LongestValidity, "$.expires", c.Expires,
            $"must be at most {SignedCommand.LongestValidity.TotalMinutes:0} min after issued", "correct the value");
        if (c.Name == Command.LogLevel)
        {
            f.Require(c.Level is not null && SignedCommand.LogLevels.Contains(c.Level), "$.level", c.Level, $"must be one of {string.Join(", ", SignedCommand.LogLevels)}", "name a level");
            f.Between("$.seconds", c.Seconds ?? 0, 1, (long)SignedCommand.LongestLogLevel.TotalSeconds, "s");
        }
        else
        {
            f.Require(c.Level is null, "$.level", c.Level, $"must be absent for {c.Name}", "leave it out");
            f.Require(c.Seconds is null, "$.seconds", c.Seconds, $"must be absent for {c.Name}", "leave it out");
        }
    }

    [GeneratedRegex("^[a-z0-9]{16,64}\\z")]
    private static partial Regex Nonce();
}
