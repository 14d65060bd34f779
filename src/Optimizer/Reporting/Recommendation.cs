using Dunlin.Optimizer.Evaluation;

namespace Dunlin.Optimizer.Reporting;

/// <summary>What to take, for one objective.</summary>
/// <param name="Objective">What is least.</param>
/// <param name="Variant">Its name; null if no variant holds the limit.</param>
/// <param name="Gain">What it wins, or why there is none.</param>
/// <param name="Cost">What it loses; empty where nothing is taken.</param>
internal sealed record Recommendation(string Objective, string? Variant, string Gain, string Cost)
{
    public string Sentence => $"{Objective}: {(Variant is null ? "" : $"{Variant}, ")}{Gain}{(Cost.Length > 0 ? $"; {Cost}" : "")}.";

    /// <summary>Fastest, smallest and thriftiest, each within the limit.</summary>
    public static IReadOnlyList<Recommendation> Of(ReportContent content)
    {
        var limit = AccuracyLimit.Parse(content.Limit);
        return
        [
            Least("Fastest", content, limit, v => v.Milliseconds, (v, r) => $"{Changes.Speed(v.Milliseconds, r.Milliseconds)} than {r.Name} ({Changes.Digits(v.Milliseconds)} against {Changes.Digits(r.Milliseconds)} ms on one thread)"),
            Least("Smallest", content, limit, v => v.Evaluation.ByteCount, (v, r) => $"{Changes.Percent(v.Evaluation.ByteCount, r.Evaluation.ByteCount)} bytes ({Changes.Digits(v.Evaluation.ByteCount / 1000.0)} against {Changes.Digits(r.Evaluation.ByteCount / 1000.0)} kB)"),
            Least("Thriftiest", content, limit, v => v.Joules, (v, r) => $"{Changes.Percent(v.Joules, r.Joules)} energy by estimate ({Changes.Digits(v.Joules * 1000)} against {Changes.Digits(r.Joules * 1000)} mJ an inference)"),
        ];
    }

    private static Recommendation Least(string objective, ReportContent content, AccuracyLimit limit, Func<VariantReport, double> cost, Func<VariantReport, VariantReport, string> gain)
    {
        var reference = content.Reference;
        var best = content.Variants.Skip(1).Where(v => v.Judge(limit) != LimitAnswer.Fails).MinBy(cost);
        if (best is null) return new Recommendation(objective, null, NoneHolds(content, limit), "");
        var unsure = $"interval reaches beyond {limit}: more images could still refute it";
        var own = reference.Judge(limit);
        if (cost(best) >= cost(reference) && own != LimitAnswer.Fails)
            return new Recommendation(objective, reference.Name, "since no variant within the limit is better", own == LimitAnswer.Unsure ? $"its {unsure}" : "");
        var change = $"top-1 changes by {Changes.Difference(best.Evaluation.AgainstReference!.Top1Change)} points";
        return new Recommendation(
            objective, best.Name, gain(best, reference), $"{change}{(best.Judge(limit) == LimitAnswer.Unsure ? $", whose {unsure}" : "")}{(own == LimitAnswer.Fails ? $"; {reference.Name} itself fails {limit}" : "")}");
    }

    private static string NoneHolds(ReportContent content, AccuracyLimit limit) => content.Variants.Skip(1).MaxBy(v => v.Evaluation.AgainstReference!.Top1Change.Value) is { } nearest
        ? $"no variant holds {limit}; the nearest is {nearest.Name} with {Changes.Difference(nearest.Evaluation.AgainstReference!.Top1Change)} points of top-1"
        : "there are no variants to choose from";
}
