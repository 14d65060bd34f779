namespace Dunlin.Optimizer.Pruning;

/// <summary>Whether one ranking over all groups says what goes, or each group gives the same share.</summary>
internal enum PruningScope
{
    Global,
    Layer,
}

/// <summary>How much to prune, and how.</summary>
/// <param name="Ratio">Share 0…1 of the channels that may be removed, in all rounds together.</param>
/// <param name="Scope">Where channels compete.</param>
/// <param name="Step">Widths become multiples of it where they are wide enough; 1 means any width.</param>
/// <param name="Rounds">In which the ratio is removed, the same share of what is left in each.</param>
internal sealed record PruningOptions(double Ratio, PruningScope Scope, int Step, int Rounds = 1)
{
    /// <summary>Of one round: what each leaves multiplies.</summary>
    public double RoundRatio => Rounds == 1 ? Ratio : 1 - Math.Pow(1 - Ratio, 1.0 / Rounds);
}

/// <summary>Which units go.</summary>
/// <param name="Removed">Units.</param>
/// <param name="Groups">What happens to each group that may be pruned.</param>
/// <param name="Kept">Channels that operators keep from being pruned.</param>
internal sealed record PruningPlan(IReadOnlySet<int> Removed, IReadOnlyList<GroupPlan> Groups, IReadOnlyList<KeptChannels> Kept)
{
    /// <summary>Of each group at least this share stays in a global ranking: a layer that is nearly empty cuts the network.</summary>
    private const double LeastShare = 0.1;

    /// <summary>The plan of a round.</summary>
    /// <param name="dependencies">Of the graph as the rounds before left it.</param>
    /// <param name="importance">Scores of its groups.</param>
    /// <param name="options">Of all rounds.</param>
    /// <param name="first">The plan of the first round, whose widths count for what must stay; null in it.</param>
    /// <exception cref="InvalidDataException">Nothing of the graph may be pruned.</exception>
    public static PruningPlan Make(ChannelDependencies dependencies, Importance importance, PruningOptions options, PruningPlan? first = null)
    {
        var groups = PruneGroup.Of(dependencies);
        var candidates = groups.Where(g => g.WhyFixed is null && g.Units.Count > 1).Select(g => (Group: g, Scores: importance(g))).ToList();
        if (candidates.Count == 0)
            throw new InvalidDataException($"No channel of this model may be removed: {groups.FirstOrDefault(g => g.WhyFixed is not null)?.WhyFixed ?? "it has no convolution or linear layer with constant weights"}.");

        var limit = options.Scope == PruningScope.Global ? Threshold(candidates.SelectMany(c => c.Scores), options.RoundRatio) : 0;
        var widths = first?.Groups.ToDictionary(g => g.Group.Key, g => g.ChannelCount) ?? [];
        var removed = new HashSet<int>();
        var plans = new List<GroupPlan>();
        foreach (var (group, scores) in candidates)
        {
            var perUnit = group.ChannelsPerUnit(dependencies);
            var width = scores.Length * perUnit;
            var wanted = options.Scope == PruningScope.Layer
                ? width * (1 - options.RoundRatio)
                : Math.Max(scores.Count(s => s > limit) * perUnit, widths.GetValueOrDefault(group.Key, width) * Math.Min(LeastShare, 1 - options.Ratio));
            // Grouped convolutions lose a channel of each group at once.
            var kept = Math.Clamp(WidthSteps.Round(wanted, width, options.Step) / perUnit, 1, scores.Length);
            removed.UnionWith(group.Units.Zip(scores).OrderBy(p => p.Second).Take(scores.Length - kept).Select(p => p.First));
            plans.Add(new GroupPlan(group, width, kept * perUnit));
        }

        return new PruningPlan(removed, plans, KeptOf(groups, dependencies));
    }

    private static IReadOnlyList<KeptChannels> KeptOf(IReadOnlyList<PruneGroup> groups, ChannelDependencies dependencies) =>
    [
        .. groups.Where(g => g.WhyFixed is not (null or ChannelDependencies.InputStays or ChannelDependencies.ClassesStay)).GroupBy(g => g.WhyFixed!)
            .Select(g => new KeptChannels(g.Key, g.Sum(group => group.Units.Count * group.ChannelsPerUnit(dependencies)))),
    ];

    // The score at or below which the ratio of all units lies.
    private static double Threshold(IEnumerable<double> scores, double ratio)
    {
        var sorted = scores.Order().ToList();
        var count = (int)Math.Round(sorted.Count * ratio);
        return count == 0 ? double.NegativeInfinity : sorted[count - 1];
    }
}

/// <summary>Channels that stay, and why, by the node's name.</summary>
internal sealed record KeptChannels(string Why, int Count);

/// <summary>A group's width before and after.</summary>
internal sealed record GroupPlan(PruneGroup Group, int ChannelCount, int KeptCount);
