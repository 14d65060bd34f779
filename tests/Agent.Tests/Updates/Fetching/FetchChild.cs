using System.Diagnostics;
using System.Globalization;
using Dunlin.TestKit.Samples;

[assembly: AssemblyFixture(typeof(Dunlin.Agent.Tests.Updates.Fetching.FetchChild))]

namespace Dunlin.Agent.Tests.Updates.Fetching;

/// <summary>This test program started again as a process that only fetches: to be killed, or to be run under strace.</summary>
public sealed class FetchChild
{
    private const string Folder = "DUNLIN_FETCH_FOLDER";
    private const string Location = "DUNLIN_FETCH_LOCATION";
    private const string Size = "DUNLIN_FETCH_SIZE";

    /// <summary>Runs before any test: in the child it fetches, says how that ended, and ends the process.</summary>
    public FetchChild()
    {
        if (Environment.GetEnvironmentVariable(Folder) is not { } folder) return;
        var blob = new SampleBlob(int.Parse(Environment.GetEnvironmentVariable(Size)!, CultureInfo.InvariantCulture));
        using var setup = new FetchSetup(folder: folder);
        var result = setup.Fetcher.FetchAsync([blob.Blob], [FetchSetup.Http(Environment.GetEnvironmentVariable(Location)!)], setup.Progress.Add, CancellationToken.None).GetAwaiter().GetResult();
        Console.Out.WriteLine($"fetch: {result.Code ?? "success"}; received {setup.ReceivedByteCount}");
        Console.Out.Flush();
        Environment.Exit(0);
    }

    /// <param name="folder">The state folder.</param>
    /// <param name="location">An HTTP source.</param>
    /// <param name="size">Of the sample blob to fetch.</param>
    /// <param name="strace">Arguments of strace to run it under; none: it runs alone.</param>
    internal static Process Start(string folder, string location, int size, params string[] strace)
    {
        string[] arguments = ["-method", $"{typeof(KilledFetchTests).FullName}.*"];
        var start = strace.Length == 0
            ? new ProcessStartInfo(Environment.ProcessPath!, arguments)
            : new ProcessStartInfo("strace", ["-f", "-qq", "-o", "/dev/null", .. strace, Environment.ProcessPath!, .. arguments]);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.Environment[Folder] = folder;
        start.Environment[Location] = location;
        start.Environment[Size] = size.ToString(CultureInfo.InvariantCulture);
        return Process.Start(start)!;
    }
}
