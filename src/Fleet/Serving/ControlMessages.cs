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

/// <summary>A command to sign; who asks publishes it, since the reply is for whoever drew the nonce.</summary>
/// <param name="Device">Whom it is for.</param>
/// <param name="BootId">Of the device's status.</param>
/// <param name="Nonce">Drawn at random by the asker.</param>
/// <param name="Request">What the device is to do.</param>
/// <param name="Validity">From now to expiry.</param>
internal sealed record CommandOrder(string Device, string BootId, string Nonce, DeviceRequest Request, TimeSpan Validity);

/// <param name="Name">As in the topic.</param>
/// <param name="Level">For <c>log-level</c> only.</param>
/// <param name="Seconds">For <c>log-level</c> only: how long it holds.</param>
internal sealed record DeviceRequest(string Name, string? Level = null, int? Seconds = null);

/// <summary>What a command asks of the fleet's one writer, over its Unix socket: one line of JSON each way.</summary>
internal sealed record ControlRequest(ControlVerb Verb, PushOrder? Order = null, CommandOrder? Command = null);

internal enum ControlVerb
{
    Issue = 1,
    Beacon = 2,

    /// <summary>The root was rotated: take it up and publish it.</summary>
    Root = 3,

    /// <summary>Sign a command to a device.</summary>
    Sign = 4,
}

/// <param name="ExitCode">0, or what the command ends with.</param>
/// <param name="Error">A sentence if it is not 0.</param>
/// <param name="Directives">For <see cref="ControlVerb.Issue"/>.</param>
/// <param name="Count">How many documents the broker took.</param>
/// <param name="Envelope">For <see cref="ControlVerb.Sign"/>.</param>
/// <param name="IsRootTaken">For <see cref="ControlVerb.Root"/>: whether the root chain is among them.</param>
/// <param name="IsCleared">For <see cref="ControlVerb.Root"/>: whether the broker has nothing more for devices that left the fleet.</param>
internal sealed record ControlAnswer(
    int ExitCode, string? Error = null, IReadOnlyList<IssuedReport>? Directives = null, int Count = 0, byte[]? Envelope = null, bool? IsRootTaken = null, bool? IsCleared = null);

/// <summary>A directive that was issued.</summary>
internal sealed record IssuedReport(string Device, long Counter, Digest Directive);
