using Dunlin.Torture.Fuzzing;
using Dunlin.Torture.Models;
using Dunlin.Torture.Results;
using Dunlin.Torture.Storm;
using Dunlin.Torture.Updates;
using Dunlin.Torture.Watchdog;
using Dunlin.Torture.Windows;

// Parts of ./build.sh torture; packaging/targets/torture.sh says in which order.
const string Usage = """
    usage: Dunlin.Torture fuzz TARGET | seeds TARGET FOLDER | replay TARGET FOLDER | fuzzed TARGET RESULTS FOLDER
                          hostile|watchdog AGENT WORK RESULTS | storm RESULTS | windows WORK RESULTS | kill|rollback|sync|full|power|soak AGENT SHIM WORK RESULTS | page RESULTS FILE
    """;
FuzzTarget Target(string name) => FuzzTarget.All.Single(target => target.Name == name);
using var stopped = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = true;
    stopped.Cancel();
};

try
{
    switch (args)
    {
        case ["fuzz", var name]:
            return FuzzProgram.Serve(Target(name));
        case ["seeds", var name, var folder]:
            return FuzzProgram.WriteSeeds(Target(name), folder);
        case ["replay", var name, var folder]:
            Console.WriteLine($"{name}: {FuzzProgram.Replay(Target(name), folder)} kept inputs do no harm");
            return 0;
        case ["fuzzed", var name, var folder, var output]:
            return FuzzResult.Keep(new CaseStore(folder, "fuzz"), name, output);
        case ["hostile", var agent, var work, var folder]:
            await new HostileHeats(agent, work, new CaseStore(folder, "hostile")).RunAsync(stopped.Token);
            return 0;
        case ["watchdog", var agent, var work, var folder]:
            await new WatchdogArea(agent, work, new CaseStore(folder, "watchdog")).RunAsync(stopped.Token);
            return 0;
        case ["windows", var work, var folder]:
            await new WindowSoak(work, new CaseStore(folder, "windows")).RunAsync(stopped.Token);
            return 0;
        case ["storm", var folder]:
            await new ReconnectStorm(new CaseStore(folder, "storm")).RunAsync(stopped.Token);
            return 0;
        case ["kill" or "rollback" or "sync" or "full" or "power" or "soak", var agent, var shim, var work, var folder]:
            await UpdateAreas.RunAsync(args[0], agent, shim, work, new CaseStore(folder, args[0]), stopped.Token);
            return 0;
        case ["page", var folder, var page]:
            return ReliabilityPage.Write(folder, page);
        default:
            await Console.Error.WriteLineAsync(Usage);
            return 2;
    }
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("Stopped; start it again to go on.");
    return 130;
}
