using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Manifests;

/// <summary>What must hold in one variant.</summary>
internal static class VariantRules
{
    internal const long MaximumModelByteCount = int.MaxValue;

    private static readonly string[] Techniques = ["pruned", "distilled", "quantized"];

    internal static void Check(string path, Variant v, Findings f)
    {
        f.Name($"{path}.id", v.Id);
        f.Blob($"{path}.blob", v.Blob, MaximumModelByteCount);
        f.Require(Enum.IsDefined(v.Precision), $"{path}.precision", v.Precision, "must be fp32, fp16, int8 or mixed", "correct the value");
        if (f.Items($"{path}.techniques", v.Techniques, 0, 16))
        {
            for (var i = 0; i < v.Techniques.Count; i++) Technique($"{path}.techniques[{i}]", v.Techniques[i], f);
        }
        f.Between($"{path}.parameterCount", v.ParameterCount, 0, long.MaxValue, "parameters");
        f.Between($"{path}.macs", v.Macs, 0, long.MaxValue, "operations");
        f.Between($"{path}.peakMemoryByteCount", v.PeakMemoryByteCount, 0, long.MaxValue, "bytes");
        Accuracy($"{path}.accuracy", v.Accuracy, f);
        f.Share($"{path}.floors.agreement", v.Floors.Agreement);
        f.Share($"{path}.floors.top1", v.Floors.Top1);
        Texts($"{path}.requires.executionProviders", v.Requires.ExecutionProviders, 1, f);
        Texts($"{path}.requires.cpuFeatures", v.Requires.CpuFeatures, 0, f);
        f.Between($"{path}.requires.memoryByteCount", v.Requires.MemoryByteCount, 0, long.MaxValue, "bytes");
        Texts($"{path}.operators", v.Operators, 1, f);
        for (var i = 1; i < v.Operators.Count; i++)
            f.Require(string.CompareOrdinal(v.Operators[i - 1], v.Operators[i]) <= 0, $"{path}.operators[{i}]", v.Operators[i], "must come after the one before it, by ordinal order", "sort the operators");
        f.Between($"{path}.limits.loadMilliseconds", v.Limits.LoadMilliseconds, 1, Limits.LongestLoadMilliseconds, "ms");
        f.Between($"{path}.limits.memoryByteCount", v.Limits.MemoryByteCount, 1, long.MaxValue, "bytes");
    }

    private static void Technique(string path, Technique t, Findings f)
    {
        f.Require(Techniques.Contains(t.Kind), $"{path}.kind", t.Kind, "must be pruned, distilled or quantized", "correct the value");
        f.Text($"{path}.summary", t.Summary, 256);
        foreach (var (name, value) in t.Parameters)
        {
            f.Text($"{path}.parameters", name, 64);
            if (f.Require(value is not null, $"{path}.parameters.{name}", "null", "must not be null", "remove it")) f.Text($"{path}.parameters.{name}", value!, 256);
        }
    }

    private static void Accuracy(string path, Accuracy a, Findings f)
    {
        f.Share($"{path}.top1", a.Top1);
        f.Share($"{path}.top5", a.Top5);
        f.Require(a.Top5 >= a.Top1, $"{path}.top5", a.Top5, "must not be below top-1", "measure again");
        f.Between($"{path}.sampleCount", a.SampleCount, 1, int.MaxValue, "samples");
        f.Require(a.Top1Low >= 0 && a.Top1Low <= a.Top1, $"{path}.top1Low", a.Top1Low, "must lie in 0…top-1", "compute the interval again");
        f.Require(a.Top1High <= 1 && a.Top1High >= a.Top1, $"{path}.top1High", a.Top1High, "must lie in top-1…1", "compute the interval again");
    }

    private static void Texts(string path, IReadOnlyList<string> items, int least, Findings f)
    {
        if (!f.Items(path, items, least, 256)) return;
        for (var i = 0; i < items.Count; i++) f.Text($"{path}[{i}]", items[i], 128);
        f.Unique(path, items);
    }
}
