using System.Globalization;
using System.Text;

namespace Dunlin.Torture.Results;

/// <summary>Writes <c>docs/reliability.md</c> out of the results that are there.</summary>
internal static class ReliabilityPage
{
    /// <summary>Area, what it does, rows of the promises, and what a case of it is.</summary>
    private static readonly (string Area, string What, string Unit)[] Areas =
    [
        ("fuzz", "coverage-guided fuzzing of each parser of untrusted bytes, by afl++ and SharpFuzz", "parsers"),
        ("hostile", "hostile ONNX files, through the static check and then, with it left out, straight into ONNX Runtime", "files"),
        ("kill", "SIGKILL at every file system call of an update, then a restart", "kill points"),
        ("rollback", "SIGKILL at every file system call of an update whose trial fails, then a restart", "kill points"),
        ("sync", "an fsync of an update that fails with EIO or ENOSPC, then a restart", "fsyncs"),
        ("full", "an update on a disk that has only so much room", "sizes"),
        ("power", "a copy of the ext4 image at a file system call of an update, mounted and recovered", "images"),
        ("soak", "updates to and fro in one process, with its memory, descriptors and threads", "hundreds"),
        ("windows", "telemetry windows one after the other in one process, with its memory, descriptors and threads", "hundred thousands"),
        ("storm", "five hundred links whose broker dies", "rounds"),
        ("watchdog", "a loop that hangs: the watchdog is fed no more", "runs"),
    ];

    public static int Write(string folder, string page)
    {
        var text = new StringBuilder("""
            # What it was put through

            Written by `./build.sh torture`, which can be cut and started again; `artifacts/torture` keeps each case. How to read it: a case passes if what the
            promise says held, and the invariants I1–I6 ([promises.md](promises.md)) with it. Areas that were not run on this machine are not listed.

            | what | cases | held | failed | longest case, s | worst that was measured |
            |---|--:|--:|--:|--:|---|

            """);
        var failed = 0;
        foreach (var (area, what, unit) in Areas)
        {
            var cases = new CaseStore(folder, area).Cases;
            if (cases.Count == 0) continue;
            failed += cases.Count(one => !one.Passed);
            text.AppendLine(CultureInfo.InvariantCulture, $"| {what} | {cases.Count} {unit} | {cases.Count(one => one.Passed)} | {cases.Count(one => !one.Passed)} | {cases.Max(one => one.Seconds):0.0} | {Worst(cases)} |");
        }

        foreach (var (area, what, _) in Areas)
        {
            var cases = new CaseStore(folder, area).Cases;
            if (cases.Count == 0) continue;
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"## {char.ToUpperInvariant(what[0])}{what[1..]}").AppendLine();
            Details(text, cases);
        }

        File.WriteAllText(page, text.ToString());
        Console.WriteLine($"{page}: {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    private static string Worst(IReadOnlyCollection<CaseResult> cases) => string.Join(", ", cases.SelectMany(one => one.Numbers).GroupBy(number => number.Key)
        .Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Key} {group.Max(number => number.Value):0.##}")));

    /// <summary>Cases that ended alike are one line.</summary>
    private static void Details(StringBuilder text, IReadOnlyCollection<CaseResult> cases)
    {
        text.AppendLine("| how it ended | cases | for example |").AppendLine("|---|--:|---|");
        foreach (var group in cases.GroupBy(one => (one.Passed, one.Detail)).OrderBy(group => group.Key.Passed).ThenByDescending(group => group.Count()).Take(60))
            text.AppendLine(CultureInfo.InvariantCulture, $"| {(group.Key.Passed ? "" : "**failed**: ")}{group.Key.Detail.Split('\n')[0].Replace('|', '/')} | {group.Count()} | {group.First().Name.Replace('|', '/')} |");
    }
}
