using System.Text.Json;
using Dunlin.Optimizer.Graph;
using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Optimizer.Inspection;

/// <summary>What ONNX Runtime on this machine makes of a model, and how long each part of it takes, by its own profiler.</summary>
internal static class KernelProfile
{
    private const int WarmUpCount = 5, RunCount = 50;
    private const double BudgetSeconds = 2;
    private const string TimeEvent = "_kernel_time";

    /// <summary>The kernels in order, timed on one thread.</summary>
    public static IReadOnlyList<Kernel> Measure(ModelGraph graph)
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-profile").FullName;
        try
        {
            var path = Path.Combine(folder, "optimized.onnx");
            OptimizedModel.Save(graph.Model, path);
            var times = Times(path, graph, folder);
            return [.. ModelFile.Load(path).Graph.Node.Select((n, i) => new Kernel(n.Name, n.OpType, [.. n.Input], times.GetValueOrDefault(i)))];
        }
        catch (OnnxRuntimeException error)
        {
            throw new InvalidDataException($"ONNX Runtime cannot run the model: {error.Message}", error);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Whether such a kernel multiplies weights.</summary>
    public static bool IsLayer(string kernel) => kernel.Contains("Conv", StringComparison.Ordinal) || kernel.Contains("Gemm", StringComparison.Ordinal) || kernel.Contains("MatMul", StringComparison.Ordinal);

    /// <summary>Whether such a kernel multiplies bytes.</summary>
    public static bool IsInteger(string kernel) => kernel.StartsWith("QLinear", StringComparison.Ordinal) || kernel.Contains("QGemm", StringComparison.Ordinal) || kernel.Contains("Integer", StringComparison.Ordinal);

    private static Dictionary<int, double> Times(string path, ModelGraph graph, string folder)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 1,
            // It is optimized already; so the names are those of the file.
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            ProfileOutputPathPrefix = Path.Combine(folder, "profile"),
            EnableProfiling = true,
        };
        using var session = new InferenceSession(path, options);
        using var image = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, session.InputMetadata[graph.Input.Name].ElementDataType, [.. graph.Input.Shape]);
        image.GetTensorMutableRawData().Clear();
        using var run = new RunOptions();
        var start = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < WarmUpCount + RunCount && (i <= WarmUpCount || TimeProvider.System.GetElapsedTime(start).TotalSeconds < BudgetSeconds); i++)
            session.Run(run, [graph.Input.Name], [image], session.OutputNames).Dispose();
        return Medians(session.EndProfiling());
    }

    private static Dictionary<int, double> Medians(string profile)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(profile));
        var events = document.RootElement.EnumerateArray().Where(e => e.TryGetProperty("cat", out var kind) && kind.GetString() == "Node" && e.GetProperty("name").GetString()!.EndsWith(TimeEvent, StringComparison.Ordinal));
        return events.GroupBy(e => int.Parse(e.GetProperty("args").GetProperty("node_index").GetString()!, System.Globalization.CultureInfo.InvariantCulture))
            .ToDictionary(g => g.Key, g => Evaluation.Quantiles.Median(g.Skip(WarmUpCount).Select(e => e.GetProperty("dur").GetDouble()).DefaultIfEmpty(0)));
    }
}

/// <summary>One node of the optimized graph.</summary>
internal sealed record Kernel(string Name, string Operator, IReadOnlyList<string> Inputs, double Microseconds);
