using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Pruning;

/// <summary>How much each unit of a group matters: one score a unit in the group's order, larger is more. Scores of different groups are compared.</summary>
internal delegate double[] Importance(PruneGroup group);

/// <summary>
/// Importance by the size of weights. All tensors that a unit runs through count: the filters that make it, those that read it, and the
/// gain of normalization (group importance of DepGraph, Fang et al. 2023). Each is divided by its mean, so that groups can be compared.
/// </summary>
internal static class MagnitudeImportance
{
    public static Importance L1(ChannelDependencies dependencies) => group => Scores(group, dependencies, Math.Abs, sum => sum);

    public static Importance L2(ChannelDependencies dependencies) => group => Scores(group, dependencies, value => value * value, Math.Sqrt);

    private static double[] Scores(PruneGroup group, ChannelDependencies dependencies, Func<double, double> term, Func<double, double> norm)
    {
        var order = group.Units.Select((unit, i) => (unit, i)).ToDictionary(p => p.unit, p => p.i);
        var scores = new double[group.Units.Count];
        var count = 0;
        foreach (var slice in dependencies.WeightSlices.Where(s => s.Labels.Any(l => order.ContainsKey(dependencies.Units.UnitOf(l)))))
        {
            var sums = new double[scores.Length];
            var places = slice.Labels.Select(l => order.GetValueOrDefault(dependencies.Units.UnitOf(l), -1)).ToArray();
            var values = Tensors.Floats(slice.Tensor);
            for (var i = 0; i < values.Length; i++)
                if (places[i / slice.Stride % places.Length] is >= 0 and var unit) sums[unit] += term(values[i]);
            for (var i = 0; i < sums.Length; i++) sums[i] = norm(sums[i]);
            var mean = sums.Average();
            if (mean <= 0) continue;
            count++;
            for (var i = 0; i < sums.Length; i++) scores[i] += sums[i] / mean;
        }

        return [.. scores.Select(s => count > 0 ? s / count : 0)];
    }
}
