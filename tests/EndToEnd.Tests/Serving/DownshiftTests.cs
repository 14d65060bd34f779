using System.Text.Json.Nodes;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;

namespace Dunlin.EndToEnd.Tests.Serving;

/// <summary>A board that must save energy runs a lighter variant than the one that won its race.</summary>
public sealed class DownshiftTests(FirstRun first)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task OnALowBatteryALighterVariantRunsUntilItIsCharged()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("Only root may give a process power supplies of its own.");
        if (!Directory.Exists("/sys/class/power_supply")) Assert.Skip("This kernel knows no power supplies.");
        using var space = new TemporaryFolder();
        if (await AgentProcess.WhyNoSuppliesAsync(space.Sub("supplies")) is { } why) Assert.Skip($"This machine gives a process no mounts of its own: {why}");
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        var setup = first.Again(space, broker.Port);
        var heaviest = LetTheHeaviestWin(setup.StateDirectory);
        var battery = Directory.CreateDirectory(space["supplies/battery"]).FullName;
        File.WriteAllText(Path.Combine(battery, "type"), "Battery\n");
        File.WriteAllText(Path.Combine(battery, "capacity"), "12\n");
        File.WriteAllText(Path.Combine(battery, "status"), "Charging\n");

        await using var agent = AgentProcess.RunOn(setup, space["supplies"]);
        await ReportedAsync(0, (running, _) => running == heaviest);
        File.WriteAllText(Path.Combine(battery, "status"), "Discharging\n");
        await ReportedAsync(0, (running, reason) => running != heaviest && reason.Contains("the battery is at 12 % and not charged", StringComparison.Ordinal));
        var window = await probe.NextAsync(setup.Topic("telemetry"), m => m.Json.TryGetProperty("battery", out var told) && told.GetProperty("low").GetBoolean());
        Assert.Equal(12, window.Json.GetProperty("battery").GetProperty("percent").GetInt32());

        var since = probe.Messages.Count;
        File.WriteAllText(Path.Combine(battery, "status"), "Charging\n");
        await ReportedAsync(since, (running, reason) => running == heaviest && reason.Contains("keeps up again", StringComparison.Ordinal));

        Task ReportedAsync(int from, Func<string, string, bool> fits) => Eventually.TrueAsync(
            () => probe.Messages.Skip(from).Any(m => m.Topic == setup.Topic("reported") && m.Json.TryGetProperty("running", out var running)
                && fits(running.GetProperty("variant").GetString()!, m.Json.GetProperty("reason").GetString()!)),
            () => $"the report says what runs; the agent said:\n{agent.Log}", Patience);
    }

    // Which variant wins is the machine's affair. Here the heaviest does, and the lightest is the only other one that ran.
    private static string LetTheHeaviestWin(string state)
    {
        var path = Directory.GetFiles(state, "*.json", SearchOption.AllDirectories).Single(file => Path.GetDirectoryName(file)!.EndsWith("verdicts", StringComparison.Ordinal));
        var verdict = JsonNode.Parse(File.ReadAllText(path))!;
        var ran = verdict["contenders"]!.AsArray().Where(c => c!["outcome"]!.GetValue<string>() is "won" or "lost" or "tied" && c["cpuMilliseconds"] is not null).ToList();
        var heaviest = ran.MaxBy(c => c!["cpuMilliseconds"]!.GetValue<double>())!;
        foreach (var contender in ran) contender!["outcome"] = "failed";
        ran.MinBy(c => c!["cpuMilliseconds"]!.GetValue<double>())!["outcome"] = "lost";
        heaviest["outcome"] = "won";
        verdict["winner"] = heaviest["contender"]!.DeepClone();
        File.WriteAllText(path, verdict.ToJsonString());
        return heaviest["contender"]!["variant"]!.GetValue<string>();
    }
}
