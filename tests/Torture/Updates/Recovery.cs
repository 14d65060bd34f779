using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.State;

namespace Dunlin.Torture.Updates;

/// <summary>How a state that something broke off must end: whole at once, and after a start where its directive leads.</summary>
internal sealed class Recovery(UpdateStage stage, string agent)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <param name="state">Broken off here; changed by the recovery.</param>
    /// <param name="directive">By its name in the stage.</param>
    /// <param name="expected">How the directive ends on a healthy device.</param>
    /// <param name="cancellationToken">Kills the agent.</param>
    /// <returns>What went wrong, in a sentence; null if nothing did. And what was seen.</returns>
    public async Task<(string? Broken, string Seen)> CheckAsync(string state, string directive, UpdateState expected, CancellationToken cancellationToken)
    {
        var floors = StateInvariants.FloorsOf(stage.Before);
        if (StateInvariants.Check(state, floors) is [var first, ..]) return (first, "");
        var id = UpdateStage.IdOf(stage.Directive(directive));
        var ended = StateInvariants.EndOf(state, id);
        var stored = StateInvariants.OutcomesOf(state, id) is [var before] ? before : null;
        await using (var device = await DeviceRun.StartAsync(stage, agent, state, stage.Directive(directive), shim: null, cancellationToken))
        {
            // I6: what the broker had acknowledged is not told again, and everything else is.
            var isTold = stored is { IsAcknowledged: true };
            var outcome = await device.EndAsync(isTold ? TimeSpan.FromSeconds(2) : Patience, cancellationToken);
            if (outcome is null && !isTold) return ($"no outcome came within {Patience.TotalSeconds:0} s of the start; journal: {Journal(state)}\n{device.Log}", "");
            if (isTold && outcome is not null) return ($"the outcome of {outcome.BootId} came although that of {stored!.Outcome.BootId} had been acknowledged\n{device.Log}", "");
            if (stored is not null && device.Outcomes.FirstOrDefault(other => (other.BootId, other.Sequence) != (stored.Outcome.BootId, stored.Outcome.Sequence)) is { } second)
                return ($"a second outcome came, of {second.BootId}, besides that of {stored.Outcome.BootId}\n{device.Log}", "");
            if (device.Outcomes.Count > 1) return ($"{device.Outcomes.Count} outcomes came\n{device.Log}", "");
            if (device.Outcomes.FirstOrDefault(other => other.Result != expected) is { } other)
                return ($"the outcome is {other.Result} ({other.Reason}: {other.Detail}), not {expected}\n{device.Log}", "");
            if (!await device.ClassifiesAsync(TimeSpan.FromSeconds(15), cancellationToken)) return ($"no frame was classified after the start\n{device.Log}", "");
            await device.StopAsync();
        }

        if (StateInvariants.Check(state, floors) is [var later, ..]) return ($"after the recovery: {later}", "");
        if (StateInvariants.OutcomesOf(state, id) is not [{ IsAcknowledged: true }])
            return ($"after the recovery the outbox holds {string.Join(", ", StateInvariants.OutcomesOf(state, id))}, not one outcome that was acknowledged", "");
        if (StateInvariants.EndOf(state, id) != expected) return ($"the directive is remembered as {StateInvariants.EndOf(state, id)}, not {expected}", "");
        var active = StateInvariants.ReleaseOf(Path.Combine(state, "active"));
        Digest right = expected == UpdateState.Committed ? stage.Second : stage.First;
        if (active != right) return ($"after the recovery the active release is {active}, not {right}", "");
        return (null, ended is null ? $"went on and ended {expected} after {Journal(state)}" : $"had ended {ended}");
    }

    /// <summary>The journal's state, for what was seen.</summary>
    internal static string Journal(string state)
    {
        var path = new StateLayout(state).Journal;
        return File.Exists(path) ? Contracts.Updates.Journal.Format.Read(File.ReadAllBytes(path)).Value?.State.ToString() ?? "a damaged journal" : "no journal";
    }
}
