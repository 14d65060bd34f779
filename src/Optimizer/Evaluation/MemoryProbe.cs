using System.Diagnostics;
using System.Globalization;
using Dunlin.Runtime.Sessions;
using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Optimizer.Evaluation;

/// <summary>What running a model costs a process in memory: measured in a process of its own, as the growth from before ONNX Runtime is loaded.</summary>
/// <param name="ResidentByteCount">Growth of the peak resident set (VmHWM).</param>
/// <param name="DataByteCount">Growth of the data segment (VmData), which RLIMIT_DATA bounds.</param>
internal sealed record MemoryProbe(long ResidentByteCount, long DataByteCount)
{
    /// <summary>The hidden command that the child runs.</summary>
    public const string CommandName = "probe-memory";

    private const int RunCount = 20;

    /// <summary>Starts this program again on one model and reads what it measured.</summary>
    /// <exception cref="InvalidDataException">The child failed; its words are in the message.</exception>
    public static async Task<MemoryProbe> MeasureAsync(string model, CancellationToken cancellationToken)
    {
        var program = Path.ChangeExtension(typeof(MemoryProbe).Assembly.Location, null);
        var start = new ProcessStartInfo(program, [CommandName, model]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var child = Process.Start(start) ?? throw new InvalidDataException($"'{program}' did not start.");
        var output = child.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = child.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await child.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            child.Kill();
            throw;
        }

        var numbers = (await output).Split(' ', StringSplitOptions.TrimEntries);
        if (child.ExitCode != 0 || numbers.Length != 2)
            throw new InvalidDataException($"The memory of '{model}' could not be measured: {(await error).Trim()}");
        return new MemoryProbe(long.Parse(numbers[0], CultureInfo.InvariantCulture), long.Parse(numbers[1], CultureInfo.InvariantCulture));
    }

    /// <summary>The child's part: prints both numbers.</summary>
    public static void Run(string path)
    {
        var (residentBefore, dataBefore) = (Status("VmRSS:"), Status("VmData:"));
        _ = OnnxEnvironment.Instance;
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(path, options);
        var (name, input) = session.InputMetadata.Single();
        var shape = input.Dimensions.Select(d => (long)Math.Max(d, 1)).ToArray();
        using var value = OrtValue.CreateTensorValueFromMemory(new float[shape.Aggregate(1L, (a, b) => a * b)], shape);
        using var run = new RunOptions();
        for (var i = 0; i < RunCount; i++) session.Run(run, [name], [value], session.OutputNames).Dispose();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Status("VmHWM:") - residentBefore} {Status("VmData:") - dataBefore}"));
    }

    private static long Status(string field)
    {
        var line = File.ReadLines("/proc/self/status").Single(l => l.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(line[field.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024;
    }
}
