using Dunlin.Agent.Updates;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;
using Dunlin.Telemetry.Commands;
using Dunlin.Telemetry.Link;

namespace Dunlin.Agent.RemoteCommands;

/// <summary>Lets signed commands through: each once, from the fleet's owner, to this start of this device. One command at a time.</summary>
internal sealed class CommandGate(TrustState trust, LinkIdentity identity, TimeProvider time)
{
    private const int MaximumNonceCount = 512;

    // The boot id tells commands to an earlier start; longer than they are valid, no nonce needs to be known.
    private readonly Dictionary<string, long> _nonces = [];

    /// <summary>The handler of a signed command, which is run for those that may.</summary>
    /// <param name="name">The last level of the topic.</param>
    /// <param name="key">What allows it in the device's configuration.</param>
    /// <param name="isAllowed">That key's value.</param>
    /// <param name="run">Does what was asked.</param>
    public CommandHandler Guard(string name, string key, bool isAllowed, Func<SignedCommand, CancellationToken, Task<CommandResult>> run) => async (call, cancellationToken) =>
    {
        if (!isAllowed) return new CommandResult("command.disabled", $"{key} is false on this device; set it to true in its configuration to allow this command.");
        var (command, refusal) = Judge(name, call.Envelope!);
        return command is null ? refusal! : await run(command, cancellationToken);
    };

    private (SignedCommand? Command, CommandResult? Refusal) Judge(string name, DsseEnvelope envelope)
    {
        if (trust.Problem is { } problem) return (null, new CommandResult(problem.Code, problem.Detail));
        var (result, command) = trust.JudgeCommand(envelope, name, identity.BootId);
        if (command is null) return (null, new CommandResult(CodeOf(result.Reason), result.Detail));
        foreach (var old in _nonces.Where(nonce => time.GetElapsedTime(nonce.Value) > SignedCommand.LongestValidity).ToList()) _nonces.Remove(old.Key);
        if (_nonces.Count >= MaximumNonceCount) return (null, new CommandResult("command.rate-limited", $"{_nonces.Count} commands came within an hour; send it again later."));
        return _nonces.TryAdd(command.Nonce, time.GetTimestamp()) ? (command, null)
            : (null, new CommandResult("command.replayed", $"The nonce '{command.Nonce}' was used before; sign another command."));
    }

    private static string CodeOf(VerificationReason reason) => reason switch
    {
        VerificationReason.WrongType or VerificationReason.BelowThreshold => "command.unsigned",
        VerificationReason.WrongFleet or VerificationReason.WrongDevice or VerificationReason.WrongName => "command.misdirected",
        VerificationReason.WrongBoot => "command.replayed",
        VerificationReason.Expired => "command.expired",
        _ => "command.invalid",
    };
}
