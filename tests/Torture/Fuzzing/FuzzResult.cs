using System.Globalization;
using Dunlin.Torture.Results;

namespace Dunlin.Torture.Fuzzing;

/// <summary>Reads what afl-fuzz says of a run.</summary>
internal static class FuzzResult
{
    /// <param name="results">The area.</param>
    /// <param name="target">The parser.</param>
    /// <param name="folder">afl-fuzz's output folder of its one instance.</param>
    public static int Keep(CaseStore results, string target, string folder)
    {
        var stats = File.ReadLines(Path.Combine(folder, "fuzzer_stats")).Select(line => line.Split(':', 2, StringSplitOptions.TrimEntries)).ToDictionary(pair => pair[0], pair => pair[1]);
        double Number(string name) => double.Parse(stats[name], CultureInfo.InvariantCulture);
        var (runs, crashes, hangs) = (Number("execs_done"), Number("saved_crashes"), Number("saved_hangs"));
        results.Add(new CaseResult(target, crashes == 0 && hangs == 0 && runs > 1000,
            string.Create(CultureInfo.InvariantCulture, $"{runs:0} inputs, {Number("corpus_count"):0} kept that reach something new, {crashes:0} crashes, {hangs:0} hangs"), Number("run_time"),
            new Dictionary<string, double> { ["inputs"] = runs, ["edges"] = Number("edges_found") }));
        return crashes == 0 && hangs == 0 ? 0 : 1;
    }
}
