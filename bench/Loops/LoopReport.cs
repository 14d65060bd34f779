using System.Diagnostics;
using System.Globalization;

namespace Dunlin.Bench.Loops;

/// <summary>What a loop in a child process of the bench says at its end, as a line of two numbers.</summary>
internal sealed record LoopReport(double PerSecond, double CpuMilliseconds)
{
    /// <summary>Runs this program with a hidden verb.</summary>
    public static async Task<LoopReport> OfChildAsync(IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var text = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0) throw new InvalidOperationException($"'{string.Join(' ', start.ArgumentList)}' ended with {process.ExitCode}.");
        var numbers = text.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        return new LoopReport(numbers[0], numbers[1]);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{PerSecond:R} {CpuMilliseconds:R}");
}
