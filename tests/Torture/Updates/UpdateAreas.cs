using Dunlin.Contracts.Updates;
using Dunlin.Torture.Results;

namespace Dunlin.Torture.Updates;

/// <summary>The areas that break updates, each over a stage of its own, which stays for the next run.</summary>
internal static class UpdateAreas
{
    /// <param name="area">One of kill, rollback, sync, full, power, soak.</param>
    /// <param name="agent">The program.</param>
    /// <param name="shim">The built Shim/shim.c.</param>
    /// <param name="work">A folder of the areas.</param>
    /// <param name="results">Of this area.</param>
    /// <param name="cancellationToken">Ends it between two cases.</param>
    public static async Task RunAsync(string area, string agent, string shim, string work, CaseStore results, CancellationToken cancellationToken)
    {
        await using var stage = await UpdateStage.OpenAsync(agent, Path.Combine(work, area), cancellationToken);
        await (area switch
        {
            "kill" => new KillArea(stage, agent, shim, results, "good", UpdateState.Committed).RunAsync(cancellationToken),
            "rollback" => new KillArea(stage, agent, shim, results, "slow", UpdateState.RolledBack).RunAsync(cancellationToken),
            "sync" => new SyncArea(stage, agent, shim, results).RunAsync(cancellationToken),
            "full" => new FullArea(stage, agent, results).RunAsync(cancellationToken),
            "soak" => new SoakArea(stage, agent, results).RunAsync(cancellationToken),
            "power" => new PowerArea(stage, agent, shim, results).RunAsync(cancellationToken),
            _ => throw new ArgumentException($"There is no area '{area}'.", nameof(area)),
        });
    }
}
