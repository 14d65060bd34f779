using System.Globalization;
using Dunlin.Optimizer.Pruning;

namespace Dunlin.Optimizer.Search;

/// <summary>A way to make the reference narrower: by one ranking of all channels, or every layer by the same share, which makes a narrower student.</summary>
/// <param name="Ratio">Share 0…1 of the channels that go.</param>
/// <param name="Scope">Where they compete.</param>
internal sealed record Candidate(double Ratio, PruningScope Scope)
{
    private static readonly double[] Ratios = [0.5, 0.75, 0.3, 0.85, 0.65, 0.4, 0.9, 0.2, 0.8, 0.6, 0.7, 0.1];

    /// <summary>As variants are called: <c>pruned-50</c>, <c>narrow-50</c>.</summary>
    public string Id => string.Create(CultureInfo.InvariantCulture, $"{(Scope == PruningScope.Global ? "pruned" : "narrow")}-{Ratio * 100:00}");

    /// <summary>All that are looked at, in an order in which any number of the first ones covers the range.</summary>
    public static IReadOnlyList<Candidate> All { get; } =
        [.. Ratios.SelectMany(ratio => new[] { new Candidate(ratio, PruningScope.Global), new Candidate(ratio, PruningScope.Layer) })];
}
