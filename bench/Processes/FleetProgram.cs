using Dunlin.Bench.Material;

namespace Dunlin.Bench.Processes;

/// <summary><c>dunlin-fleet</c> with keys of its own, as an operator has it.</summary>
internal sealed class FleetProgram(Workshop workshop, string folder)
{
    public string Keys { get; } = Path.Combine(folder, "keys");

    public string Root => Path.Combine(Keys, "root.json");

    public static async Task<FleetProgram> CreateAsync(Workshop workshop, string folder, string fleet)
    {
        var program = new FleetProgram(workshop, folder);
        await program.CallAsync("keys", "init", program.Keys, "--fleet", fleet);
        return program;
    }

    /// <summary>A command that uses the keys.</summary>
    /// <returns>Seconds that it ran.</returns>
    public Task<double> RunAsync(params string[] arguments) => CallAsync([.. arguments, "--keys", Keys]);

    private async Task<double> CallAsync(params string[] arguments) =>
        (await MeasuredCommand.RunAsync(workshop.Fleet, arguments, CancellationToken.None)).Seconds;
}
