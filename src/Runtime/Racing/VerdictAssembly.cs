using System.Globalization;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;

namespace Dunlin.Runtime.Racing;

/// <summary>What happened in one race, as the supervisor saw it.</summary>
public sealed record RaceRecord
{
    public required Manifest Manifest { get; init; }
    public required RaceConditions Conditions { get; init; }
    public required DateTimeOffset Started { get; init; }
    public required double ElapsedMilliseconds { get; init; }

    /// <summary>Blocked by <see cref="Contenders.Enumerate"/>, or failed before the heat (<see cref="VerdictAssembly.Failed"/>).</summary>
    public required IReadOnlyList<ContenderVerdict> Left { get; init; }

    /// <summary>By variant id.</summary>
    public required IReadOnlyDictionary<string, GoldenResult> Golden { get; init; }

    /// <summary>Null if nobody could race.</summary>
    public HeatVerdict? Heat { get; init; }
}

/// <summary>Makes the record that is cached, published and printed.</summary>
public static class VerdictAssembly
{
    /// <summary>A heat is untrusted: contenders that were not asked for are left out, and cannot win.</summary>
    public static Verdict Assemble(RaceRecord record)
    {
        var variants = record.Manifest.Variants.ToDictionary(variant => variant.Id);
        var left = record.Left.Select(verdict => verdict.Contender).ToHashSet();
        var raced = (record.Heat?.Contenders ?? [])
            .Where(verdict => variants.ContainsKey(verdict.Contender.Variant) && !left.Contains(verdict.Contender)
                && record.Conditions.Contenders.Contains(verdict.Contender))
            .DistinctBy(verdict => verdict.Contender)
            .Select(verdict => verdict with
            {
                Top1 = variants[verdict.Contender.Variant].Accuracy.Top1,
                Golden = record.Golden.GetValueOrDefault(verdict.Contender.Variant),
            });
        var contenders = raced.Concat(record.Left)
            .OrderBy(verdict => verdict.Outcome).ThenBy(verdict => verdict.LatencyMilliseconds?.P95 ?? double.MaxValue).ToList();
        var winner = contenders.FirstOrDefault(verdict => verdict.Outcome == ContenderOutcome.Won && verdict.Contender == record.Heat?.Winner);
        return new Verdict
        {
            Schema = Verdict.CurrentSchema,
            Fingerprint = Fingerprint.Of(record.Conditions),
            Conditions = record.Conditions,
            Started = record.Started,
            ElapsedMilliseconds = record.ElapsedMilliseconds,
            Winner = winner?.Contender,
            Reason = winner is null
                ? "Nothing can run here: " + string.Join(" ", contenders.Select(verdict => verdict.Reason).Distinct())
                : string.Create(CultureInfo.InvariantCulture, $"{winner.Reason.TrimEnd('.')}; top-1 {winner.Top1 * 100:0.0} %."),
            Contenders = contenders,
        };
    }

    /// <summary>A contender that failed before the heat: its process crashed, hung or ran out of memory, or its golden check failed.</summary>
    /// <param name="variant">Of the manifest.</param>
    /// <param name="id">The contender.</param>
    /// <param name="code">For example <c>prepare.crashed</c>, <c>prepare.timeout</c>, <c>golden.failed</c>, or a child's error code.</param>
    /// <param name="reason">A sentence.</param>
    /// <param name="golden">If it came that far.</param>
    public static ContenderVerdict Failed(Variant variant, ContenderId id, string code, string reason, GoldenResult? golden = null) => new()
    {
        Contender = id,
        Outcome = ContenderOutcome.Failed,
        ReasonCode = code,
        Reason = reason,
        Golden = golden,
        Top1 = variant.Accuracy.Top1,
    };

    /// <summary>The sentence of a failed golden check, with its numbers and floors.</summary>
    public static string GoldenFailure(Variant variant, GoldenResult result) => string.Create(CultureInfo.InvariantCulture,
        $"Variant '{variant.Id}' fails its golden check on this CPU: {result.AgreementCount} of {result.SampleCount} as on the workstation (floor {variant.Floors.Agreement:0.0%}), {result.CorrectCount} right (floor {variant.Floors.Top1:0.0%}).");
}
