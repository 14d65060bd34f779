using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Explanation;
using Dunlin.Runtime.Frames;

namespace Dunlin.Optimizer.Reporting;

/// <summary>Whether variants look where the reference looks: heat maps of all for the class that the reference answers, over held-out images.</summary>
internal sealed class AttentionComparison : IDisposable
{
    /// <summary>Occlusion takes up to 170 inferences an image.</summary>
    private const int MostImagesByOcclusion = 12;

    private const int ExampleCount = 4, ExampleSide = 160;
    private readonly IReadOnlyList<EvaluatedModel> _models;
    private readonly ClassMap _classes;
    private readonly IReadOnlyList<Explainer> _explainers;
    private readonly FrameBuffer _frame = new();
    private readonly List<double>[] _correlations;
    private readonly List<AttentionExample> _examples = [];

    private AttentionComparison(IReadOnlyList<EvaluatedModel> models, ClassMap classes)
    {
        (_models, _classes) = (models, classes);
        _correlations = [.. models.Select(_ => new List<double>())];
        // Maps of two methods cannot be compared.
        var pooled = models.All(m => PooledHead.Find(m.Graph) is not null);
        _explainers = [.. models.Select(m => pooled ? Explainer.Of(m, classes.Names) : new OcclusionExplainer(m, classes.Names))];
    }

    /// <param name="models">The reference first.</param>
    /// <param name="images">To choose from, evenly spread; unreadable ones are passed over.</param>
    /// <param name="classes">Of the images.</param>
    /// <param name="count">How many images.</param>
    /// <param name="cancellationToken">Looked at before each image.</param>
    /// <returns>The report, and the agreement of each model, null for the reference and where every map is flat.</returns>
    public static (AttentionReport Report, IReadOnlyList<AttentionAgreement?> Agreements) Of(
        IReadOnlyList<EvaluatedModel> models, HeldOutImages images, ClassMap classes, int count, CancellationToken cancellationToken)
    {
        using var comparison = new AttentionComparison(models, classes);
        if (comparison._explainers[0] is OcclusionExplainer) count = Math.Min(count, MostImagesByOcclusion);
        var samples = images.Take(count).Samples;
        // Examples are as evenly spread as all.
        var examples = Enumerable.Range(0, Math.Min(ExampleCount, samples.Count)).Select(i => (int)((i + 0.5) * samples.Count / Math.Min(ExampleCount, samples.Count))).ToHashSet();
        var compared = 0;
        for (var i = 0; i < samples.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (comparison.TryAdd(samples[i], examples.Contains(i))) compared++;
        }

        var report = new AttentionReport(comparison._explainers[0].Method, compared, comparison._examples);
        return (report, [.. comparison._correlations.Select((c, i) => i == 0 || c.Count == 0 ? null : new AttentionAgreement(c.Average(), Quantiles.Of([.. c.Order()], 0.1), c.Count))]);
    }

    public void Dispose()
    {
        foreach (var explainer in _explainers) explainer.Dispose();
    }

    /// <returns>False if the image cannot be read.</returns>
    private bool TryAdd(ImageSample sample, bool isExample)
    {
        if (sample.Read(_frame) is not null || _explainers[0].Read(_frame, out var seen) is not null) return false;
        var reference = _explainers[0].Explain(seen);
        var explanations = new List<Explanation.Explanation> { reference };
        foreach (var explainer in _explainers.Skip(1))
        {
            if (explainer.Read(_frame, out seen) is not null) return false;
            explanations.Add(explainer.Explain(seen, reference.Class));
        }

        var correlations = explanations.Select(e => e.Heat.CorrelationWith(reference.Heat)).ToList();
        for (var i = 0; i < _correlations.Length; i++)
            if (correlations[i] is { } correlation) _correlations[i].Add(correlation);
        if (isExample)
            _examples.Add(new AttentionExample(sample.Name, _classes.Names[_classes.LabelOf(sample)], reference.ClassName, Drawn(0, null),
                [.. explanations.Select((e, i) => new ExampleHeat(_classes.Names[e.Answer], correlations[i], Drawn(i, e.Heat)))]));
        return true;
    }

    private byte[] Drawn(int model, HeatMap? heat)
    {
        using var picture = HeatOverlay.Draw(_frame, _models[model].Input, heat, ExampleSide, ExampleSide);
        return HeatOverlay.Jpeg(picture);
    }
}
