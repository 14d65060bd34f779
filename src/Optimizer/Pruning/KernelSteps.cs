using System.Diagnostics;
using System.Globalization;
using Dunlin.Contracts.Artifacts;
using Dunlin.Optimizer.Graph;
using Dunlin.Runtime.Sessions;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Onnx;

namespace Dunlin.Optimizer.Pruning;

/// <summary>
/// Which widths this CPU's float kernels reward. A kernel that computes s channels at a time takes as long for one more channel as for s
/// more: convolutions of many widths are timed once, and the step is the one whose staircase fits the times best.
/// </summary>
internal static class KernelSteps
{
    /// <summary>Where nothing may be measured: the floats of an AVX2 register, and of ONNX Runtime's blocks without AVX-512.</summary>
    public const int Usual = 8;

    private const int First = 36, Last = 96, Between = 4, Side = 14, RoundCount = 40, RunsPerRound = 4;
    private static readonly int[] Candidates = [4, 8, 16, 32];

    /// <summary>From a folder, or measured in about two seconds and kept there for this CPU and version of ONNX Runtime.</summary>
    /// <param name="folder">Is made if it is not there.</param>
    /// <param name="cancellationToken">Checked between rounds of measuring.</param>
    public static int OfThisCpu(string folder, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, $"{CpuKey()}.step");
        if (File.Exists(path) && int.TryParse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture, out var known) && Candidates.Contains(known)) return known;
        int[] widths = [.. Enumerable.Range(0, (Last - First) / Between + 1).Select(i => First + i * Between)];
        var step = BestFit(widths, Measure(widths, cancellationToken));
        Directory.CreateDirectory(folder);
        var temporary = $"{path}.{Environment.ProcessId}";
        File.WriteAllText(temporary, step.ToString(CultureInfo.InvariantCulture));
        File.Move(temporary, path, overwrite: true);
        return step;
    }

    /// <summary>The candidate s for which time = a + b·⌈width / s⌉ leaves the least squares; of nearly equal ones the smaller.</summary>
    public static int BestFit(IReadOnlyList<int> widths, IReadOnlyList<double> times)
    {
        var errors = Candidates.Select(s => (Step: s, Error: Residual([.. widths.Select(w => (double)((w + s - 1) / s))], times))).ToList();
        var least = errors.Min(e => e.Error);
        // A step that the noise alone prefers would only waste choice.
        return errors.First(e => e.Error <= least * 1.1).Step;
    }

    private static double Residual(double[] x, IReadOnlyList<double> y)
    {
        var (meanX, meanY) = (x.Average(), y.Average());
        var slope = x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum() / x.Sum(a => (a - meanX) * (a - meanX));
        return x.Zip(y, (a, b) => b - meanY - slope * (a - meanX)).Sum(e => e * e);
    }

    // Interleaved, and the least of each: what disturbs only adds.
    private static double[] Measure(int[] widths, CancellationToken cancellationToken)
    {
        _ = OnnxEnvironment.Instance;
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        var sessions = widths.Select(w => new InferenceSession(Convolution(w).ToByteArray(), options)).ToList();
        try
        {
            var inputs = widths.Select(w => OrtValue.CreateTensorValueFromMemory(new float[w * Side * Side], [1, w, Side, Side])).ToList();
            using var run = new RunOptions();
            var times = Enumerable.Repeat(double.MaxValue, widths.Length).ToArray();
            for (var round = 0; round < RoundCount; round++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                for (var i = 0; i < widths.Length; i++)
                {
                    var begin = Stopwatch.GetTimestamp();
                    for (var r = 0; r < RunsPerRound; r++) sessions[i].Run(run, ["x"], [inputs[i]], ["y"]).Dispose();
                    times[i] = Math.Min(times[i], Stopwatch.GetElapsedTime(begin).TotalMilliseconds / RunsPerRound);
                }
            }

            foreach (var input in inputs) input.Dispose();
            return times;
        }
        finally
        {
            foreach (var session in sessions) session.Dispose();
        }
    }

    // As wide as deep: kernels step along both.
    private static ModelProto Convolution(int width)
    {
        var graph = new GraphProto { Name = "step" };
        graph.Input.Add(Nodes.FloatValue("x", 1, width, Side, Side));
        graph.Output.Add(Nodes.FloatValue("y", 1, width, Side, Side));
        graph.Initializer.Add(Tensors.Of("w", new float[width * width * 9], width, width, 3, 3));
        graph.Node.Add(Nodes.Make("Conv", ["x", "w"], "y", Nodes.Ints("pads", 1, 1, 1, 1)));
        var model = new ModelProto { IrVersion = ModelFile.IrVersion, Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = ModelFile.OpsetVersion });
        return model;
    }

    private static string CpuKey()
    {
        var cpu = File.ReadLines("/proc/cpuinfo").Where(l => l.StartsWith("model name", StringComparison.Ordinal) || l.StartsWith("flags", StringComparison.Ordinal)).Distinct();
        var version = OnnxEnvironment.Instance.GetVersionString();
        return Digest.Of(System.Text.Encoding.UTF8.GetBytes($"{string.Join('\n', cpu)}\n{version}")).Hex[..16];
    }
}
