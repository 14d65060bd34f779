using Dunlin.Agent.Updates;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;
using Dunlin.Telemetry.Commands;
using Dunlin.Telemetry.Link;

namespace Dunlin.Agent.RemoteCommands;

/// <summary>Lets signed commands through: each once, from the fleet's owner, to this start of this device. Thread-safe.</summary>
internal sealed class CommandGate(TrustState trust, LinkIdentity identity, TrustedClock clock, TimeProvider time)
{
    private const int MaximumNonceCount = 512;

    private readonly Lock _gate = new();

    // Of this start alone, for the boot id tells commands to an earlier one; each until its command has expired.
    private readonly PriorityQueue<string, DateTimeOffset> _nonces = new();
    private DateTimeOffset _latest;
    private long _latestAt = time.GetTimestamp();

    /// <summary>Who judges the commands of one name.</summary>
    /// <param name="name">The last level of the topic.</param>
    /// <param name="key">What allows it in the device's configuration.</param>
    /// <param name="isAllowed">That key's value.</param>
    public CommandJudge Guard(string name, string key, bool isAllowed) => envelope => isAllowed ? Judge(name, envelope)
        : (null, new CommandResult("command.disabled", $"{key} is false on this device; set it to true in its configuration to allow this command."));

    /// <summary>Null while a command that was let through may still run: it may have waited for another.</summary>
    public CommandResult? WhyTooLate(SignedCommand command)
    {
        lock (_gate) return command.Expires > Now() ? null : Expired(command);
    }

    private (SignedCommand? Command, CommandResult? Refusal) Judge(string name, DsseEnvelope envelope)
    {
        if (trust.Problem is { } problem) return (null, new CommandResult(problem.Code, problem.Detail));
        var (result, command) = trust.JudgeCommand(envelope, name, identity.BootId);
        if (command is null) return (null, new CommandResult(CodeOf(result.Reason), result.Detail));
        lock (_gate) return WhyNotOnce(command) is { } refusal ? (null, refusal) : (command, null);
    }

    private CommandResult? WhyNotOnce(SignedCommand command)
    {
        if (command.Expires <= Now()) return Expired(command);
        if (_nonces.UnorderedItems.Any(nonce => nonce.Element == command.Nonce))
            return new CommandResult("command.replayed", $"The nonce '{command.Nonce}' was used before; sign another command.");
        while (_nonces.TryPeek(out _, out var expires) && (expires <= Now() || _nonces.Count >= MaximumNonceCount)) Forget(expires);
        _nonces.Enqueue(command.Nonce, command.Expires);
        return null;
    }

    // What is forgotten must stay expired, whatever becomes of the clock.
    private void Forget(DateTimeOffset expires)
    {
        _nonces.Dequeue();
        if (expires > Now()) (_latest, _latestAt) = (expires, time.GetTimestamp());
    }

    /// <summary>The trusted time, which falls with another root or when the clock is synchronized no more; this never does.</summary>
    private DateTimeOffset Now()
    {
        var (here, trusted) = (TrustedClock.After(_latest, time.GetElapsedTime(_latestAt)), clock.Now);
        (_latest, _latestAt) = (here > trusted ? here : trusted, time.GetTimestamp());
        return _latest;
    }

    private static CommandResult Expired(SignedCommand command) => new("command.expired", $"The command was good until {command.Expires:u}; sign another one.");

    private static string CodeOf(VerificationReason reason) => reason switch
    {
        VerificationReason.WrongType or VerificationReason.BelowThreshold => "command.unsigned",
        VerificationReason.WrongFleet or VerificationReason.WrongDevice or VerificationReason.WrongName => "command.misdirected",
        VerificationReason.WrongBoot => "command.replayed",
        VerificationReason.Expired => "command.expired",
        _ => "command.invalid",
    };
}
