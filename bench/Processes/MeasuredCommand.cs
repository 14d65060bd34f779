using System.Diagnostics;
using Dunlin.Bench.Measuring;

namespace Dunlin.Bench.Processes;

/// <summary>A program that runs to its end: how long it takes, and the most memory that was resident in it.</summary>
internal static class MeasuredCommand
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <exception cref="InvalidOperationException">It ended with another code than zero.</exception>
    public static async Task<CommandCost> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var begin = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
        var ended = process.WaitForExitAsync(cancellationToken);
        var peak = 0.0;
        while (await Task.WhenAny(ended, Task.Delay(LookEvery, cancellationToken)) != ended) peak = Math.Max(peak, ProcessUse.PeakMebibytes(process.Id));
        await ended;
        var seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        var said = await output + await error;
        return process.ExitCode == 0 ? new CommandCost(seconds, peak) : throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' ended with {process.ExitCode}. It said:{Environment.NewLine}{said}");
    }
}

/// <summary>What a command costs.</summary>
/// <param name="Seconds">From exec to its end.</param>
/// <param name="PeakMebibytes">Resident, as the kernel counts it.</param>
internal sealed record CommandCost(double Seconds, double PeakMebibytes);
