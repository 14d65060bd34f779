using System.Diagnostics;
using System.Globalization;
using Dunlin.Runtime.Sessions;
using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Optimizer.Evaluation;

/// <summary>What loading and running a model costs a process: measured in one of its own, memory as the growth from before ONNX Runtime is loaded.</summary>
/// <param name="ResidentByteCount">Growth of the peak resident set (VmHWM).</param>
/// <param name="DataByteCount">Growth of the data segment (VmData), which RLIMIT_DATA bounds.</param>
/// <param name="LoadMilliseconds">To make a session of the file, which the page cache has.</param>
internal sealed record ModelProbe(long ResidentByteCount, long DataByteCount, long LoadMilliseconds)
{
    /// <summary>The hidden command that the child runs.</summary>
    public const string CommandName = "probe-model";

    private const int RunCount = 20;

    /// <summary>Starts this program again on one model and reads what it measured.</summary>
    /// <param name="model">The ONNX file.</param>
    /// <param name="inputShape">Of one image.</param>
    /// <param name="cancellationToken">Ends the child.</param>
    /// <exception cref="InvalidDataException">The child failed; its words are in the message.</exception>
    public static async Task<ModelProbe> MeasureAsync(string model, IReadOnlyList<long> inputShape, CancellationToken cancellationToken)
    {
        var program = Path.ChangeExtension(typeof(ModelProbe).Assembly.Location, null);
        var start = new ProcessStartInfo(program, [CommandName, model, string.Join('x', inputShape)]) { RedirectStandardOutput = true, RedirectStandardError = true };
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
        if (child.ExitCode != 0 || numbers.Length != 3)
            throw new InvalidDataException($"What '{model}' costs could not be measured: {(await error).Trim()}");
        var (resident, data, load) = (numbers[0], numbers[1], numbers[2]);
        return new ModelProbe(Number(resident), Number(data), Number(load));
    }

    /// <summary>The child's part: prints the three numbers.</summary>
    public static void Run(string path, IReadOnlyList<long> inputShape)
    {
        var (residentBefore, dataBefore) = (Status("VmRSS:"), Status("VmData:"));
        _ = OnnxEnvironment.Instance;
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        var started = Stopwatch.GetTimestamp();
        using var session = new InferenceSession(path, options);
        var load = (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        using var value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, session.InputMetadata.Values.Single().ElementDataType, [.. inputShape]);
        value.GetTensorMutableRawData().Clear();
        using var run = new RunOptions();
        for (var i = 0; i < RunCount; i++) session.Run(run, session.InputNames, [value], session.OutputNames).Dispose();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Status("VmHWM:") - residentBefore} {Status("VmData:") - dataBefore} {load}"));
    }

    private static long Status(string field)
    {
        var line = File.ReadLines("/proc/self/status").Single(l => l.StartsWith(field, StringComparison.Ordinal));
        return Number(line[field.Length..].Replace("kB", "", StringComparison.Ordinal)) * 1024;
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
