using System.Globalization;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;

namespace Dunlin.Runtime.Racing;

/// <summary>What the device adds to the manifest's demands.</summary>
public sealed record ContenderOptions
{
    /// <summary>Providers of the children's ONNX Runtime.</summary>
    public IReadOnlyList<string> ExecutionProviders { get; init; } = ["CPUExecutionProvider"];

    /// <summary>Top-1 in 0…1; the manifest's floor counts too.</summary>
    public double AccuracyFloor { get; init; }

    /// <summary>Intra-op threads at most; null: as many as cores are usable.</summary>
    public int? MaximumThreads { get; init; }

    /// <summary>The only variant that may run, by its id; empty: any.</summary>
    public string Variant { get; init; } = "";

    /// <summary>Whether the variant's file is on the board.</summary>
    public Func<Variant, bool> IsPresent { get; init; } = _ => true;

    /// <summary>Why a variant must not run on this board, or null; remembered crashes and failed checks.</summary>
    public Func<Variant, string?> Quarantined { get; init; } = _ => null;

    /// <summary>What serves now; it is kept in a tie.</summary>
    public ContenderId? Incumbent { get; init; }
}

/// <summary>One entry of a race.</summary>
/// <param name="Variant">Of the manifest.</param>
/// <param name="Id">What is raced.</param>
/// <param name="Blocked">Why it must not run; null if it may.</param>
public sealed record Contender(Variant Variant, ContenderId Id, ContenderVerdict? Blocked);

/// <summary>Lists variant × execution provider × thread count, in the order in which they are preferred when equal.</summary>
public static class Contenders
{
    /// <summary>Why a variant is blocked that needs more memory than is free now.</summary>
    public const string NoMemory = "memory.insufficient";

    /// <summary>Why a variant is blocked whose file the board does not have.</summary>
    public const string NoFile = "artifact.missing";

    /// <summary>Why a variant is blocked that has failed on this board.</summary>
    public const string Quarantined = "quarantined";

    /// <summary>The incumbent first, then the more accurate, the smaller in memory and file, the fewer threads. A blocked variant is listed once.</summary>
    public static IReadOnlyList<Contender> Enumerate(Manifest manifest, BoardFacts board, ContenderOptions options)
    {
        var contenders = new List<Contender>();
        foreach (var variant in manifest.Variants)
        {
            var providers = variant.Requires.ExecutionProviders.Intersect(options.ExecutionProviders).ToList();
            if (WhyBlocked(variant, providers, Math.Max(manifest.AccuracyFloor, options.AccuracyFloor), board, options) is var (code, reason))
            {
                var id = new ContenderId(variant.Id, providers.Concat(variant.Requires.ExecutionProviders).First(), 1);
                contenders.Add(new Contender(variant, id, Blocked(variant, id, code, reason)));
                continue;
            }

            foreach (var provider in providers)
                foreach (var threads in ThreadCounts(Math.Min(board.UsableCores, options.MaximumThreads ?? int.MaxValue)))
                    contenders.Add(new Contender(variant, new ContenderId(variant.Id, provider, threads), null));
        }

        return [.. contenders.OrderBy(contender => contender.Id == options.Incumbent ? 0 : 1)
            .ThenByDescending(contender => contender.Variant.Accuracy.Top1)
            .ThenBy(contender => contender.Variant.PeakMemoryByteCount)
            .ThenBy(contender => contender.Variant.Blob.Size)
            .ThenBy(contender => contender.Id.Threads)];
    }

    /// <summary>1, 2, 4, 8 … and all of them.</summary>
    internal static IEnumerable<int> ThreadCounts(int cores)
    {
        for (var threads = 1; threads < cores; threads *= 2) yield return threads;
        yield return Math.Max(1, cores);
    }

    private static (string Code, string Reason)? WhyBlocked(Variant variant, List<string> providers, double floor, BoardFacts board, ContenderOptions options)
    {
        if (options.Variant.Length > 0 && variant.Id != options.Variant) return ("variant.not-chosen", $"is not the one that Race:Variant names, '{options.Variant}'");
        var requires = variant.Requires;
        if (providers.Count == 0)
            return ("provider.missing", $"needs one of {string.Join(", ", requires.ExecutionProviders)}; this board has {string.Join(", ", options.ExecutionProviders)}");
        if (requires.CpuFeatures.Where(feature => !board.CpuFlags.Contains(feature)).ToList() is { Count: > 0 } missing)
            return ("cpu.feature-missing", $"needs {string.Join(", ", missing)}, which {board.CpuModel} does not have");
        if (requires.MemoryByteCount > board.MemoryAvailableByteCount)
            return (NoMemory, $"needs {MiB(requires.MemoryByteCount)} MiB; {MiB(board.MemoryAvailableByteCount)} MiB are free");
        if (variant.Accuracy.Top1 < floor)
            return ("accuracy.below-floor", string.Create(CultureInfo.InvariantCulture, $"has top-1 {variant.Accuracy.Top1:P1}; the floor is {floor:P1}"));
        if (!options.IsPresent(variant)) return (NoFile, "has no file on this board, or a corrupt one");
        return options.Quarantined(variant) is { } quarantined ? (Quarantined, $"is quarantined here: {quarantined}") : null;
    }

    private static ContenderVerdict Blocked(Variant variant, ContenderId id, string code, string reason) => new()
    {
        Contender = id,
        Outcome = ContenderOutcome.Blocked,
        ReasonCode = code,
        Reason = $"Variant '{variant.Id}' {reason}.",
        Top1 = variant.Accuracy.Top1,
    };

    private static string MiB(long bytes) => (bytes / 1048576.0).ToString("0", CultureInfo.InvariantCulture);
}
