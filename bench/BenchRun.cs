using System.Diagnostics;
using Dunlin.Bench.Material;
using Dunlin.Bench.Measuring;
using Dunlin.Bench.Reporting;
using Dunlin.Bench.Comparisons;
using Dunlin.TestKit.Brokers;

namespace Dunlin.Bench;

/// <summary>One run: its topics one after the other, then the results as JSON and, if wanted, as the page.</summary>
/// <param name="workshop">Material.</param>
/// <param name="settings">How long.</param>
/// <param name="topics">Names of topics; none means all.</param>
/// <param name="page">The page to write, or null.</param>
internal sealed class BenchRun(Workshop workshop, Settings settings, IReadOnlyList<string> topics, string? page)
{
    private static readonly (string Name, Func<Rig, Task<IReadOnlyList<Measurement>>> Run)[] All =
    [
        ("pipeline", PipelineComparison.RunAsync),
        ("yuyv", YuyvComparison.RunAsync),
        ("allocation", AllocationComparison.RunAsync),
        ("paced", PacedComparison.RunAsync),
        ("memory", MemoryComparison.RunAsync),
        ("quantize", QuantizationComparison.RunAsync),
        ("race", rig => Task.FromResult(RaceComparison.Run(rig))),
        ("fetch", FetchComparison.RunAsync),
        ("update", UpdateComparison.RunAsync),
    ];

    // Information is what it says as it starts, and nothing of a message: a line for each would be measured as well.
    private static readonly MosquittoSettings BrokerSettings = new()
    {
        LogsPackets = false,
        ConfigurationOf = port => $"""
            listener {port} 127.0.0.1
            allow_anonymous true
            log_type error
            log_type information
            set_tcp_nodelay true
            persistence false
            max_queued_messages 0

            """,
    };

    public static IEnumerable<string> TopicNames => All.Select(topic => topic.Name);

    /// <returns>0; 1 if a topic could not be measured; 2 if there is no such topic. Missed thresholds are a result, not a failure.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        if (topics.FirstOrDefault(name => !TopicNames.Contains(name)) is { } unknown)
        {
            await Console.Error.WriteLineAsync($"bench: there is no topic '{unknown}'; there are {string.Join(", ", TopicNames)}.");
            return 2;
        }

        var started = TimeProvider.System.GetUtcNow();
        var (machine, steal, clock) = (MachineFacts.Read(), ProcessUse.Steal(), Stopwatch.GetTimestamp());
        var measurements = new List<Measurement>();
        await using var broker = await MosquittoBroker.StartAsync(BrokerSettings);
        var failed = 0;
        foreach (var (name, run) in All.Where(topic => topics.Count == 0 || topics.Contains(topic.Name)))
        {
            Console.WriteLine($"== {name}");
            try
            {
                var rows = await run(new Rig(workshop, settings, broker, cancellationToken));
                measurements.AddRange(rows);
                foreach (var row in rows) Console.WriteLine(PerformancePage.Line(row));
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                failed++;
                await Console.Error.WriteLineAsync($"bench: topic '{name}' failed: {e}");
            }
        }

        var results = new ResultFile
        {
            Started = started,
            Minutes = Stopwatch.GetElapsedTime(clock).TotalMinutes,
            Machine = machine.With(steal, ProcessUse.Steal()),
            Commit = await CommitAsync(),
            Arguments = FormattableString.Invariant($"{settings.Seconds:0.#} s a leg, {settings.Rounds} rounds of A B B A, {settings.Races} races"),
            Measurements = measurements,
        };
        results.Save(Path.Combine(workshop.Repository, "bench", "results", FormattableString.Invariant($"{started:yyyyMMdd-HHmmss}.json")));
        if (failed > 0) return 1;
        if (page is not null) await File.WriteAllTextAsync(page, PerformancePage.Write(results), CancellationToken.None);
        return 0;
    }

    private async Task<string> CommitAsync()
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", ["-C", workshop.Repository, "describe", "--always", "--dirty", "--abbrev=12"]) { RedirectStandardOutput = true })!;
            return (await git.StandardOutput.ReadToEndAsync()).Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "unknown";
        }
    }
}
