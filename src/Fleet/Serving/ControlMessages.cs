using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;

namespace Dunlin.Fleet.Serving;

/// <summary>Directives to issue: one release to some devices, all under the same conditions.</summary>
/// <param name="Release">Must be in the ledger already.</param>
/// <param name="Devices">At least one; each gets a directive of its own.</param>
/// <param name="Sources">Where the artifacts are, 1 to 3.</param>
/// <param name="Policy">Trial and objective.</param>
/// <param name="Validity">From issue to expiry.</param>
internal sealed record PushOrder(Digest Release, IReadOnlyList<string> Devices, IReadOnlyList<ArtifactSource> Sources, DirectivePolicy Policy, TimeSpan Validity);

/// <summary>What a command asks of the fleet's one writer, over its Unix socket: one line of JSON each way.</summary>
internal sealed record ControlRequest(ControlVerb Verb, PushOrder? Order = null);

internal enum ControlVerb
{
    Issue = 1,
    Beacon = 2,

    /// <summary>The root was rotated: take it up and publish it.</summary>
    Root = 3,
}

/// <param name="ExitCode">0, or what the command ends with.</param>
/// <param name="Error">A sentence if it is not 0.</param>
/// <param name="Directives">For <see cref="ControlVerb.Issue"/>.</param>
/// <param name="Count">How many documents the broker took.</param>
internal sealed record ControlAnswer(int ExitCode, string? Error = null, IReadOnlyList<IssuedReport>? Directives = null, int Count = 0);

/// <summary>A directive that was issued.</summary>
internal sealed record IssuedReport(string Device, long Counter, Digest Directive);
