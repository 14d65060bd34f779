namespace Dunlin.Optimizer.Quantization;

/// <summary>Keeps as few of the most sensitive layers in float as an accuracy limit asks for.</summary>
internal static class MixedPrecision
{
    /// <param name="quantization">Calibrated.</param>
    /// <param name="worstFirst">The layers' sensitivities; asked for only if the whole model does not hold the limit.</param>
    /// <param name="holds">Whether a model holds the limit.</param>
    /// <param name="cancellationToken">Checked before each layer.</param>
    /// <returns>The model, and the layers that it keeps in float: all of them if nothing less holds.</returns>
    public static (QuantizedModel Model, IReadOnlyList<string> KeptFloat) Find(
        PostTraining quantization, Lazy<IReadOnlyList<LayerSensitivity>> worstFirst, Func<QuantizedModel, bool> holds, CancellationToken cancellationToken)
    {
        var best = Try(0);
        if (holds(best.Model)) return best;
        // More in float is taken to be no worse: doubled until the limit holds, then halved back.
        var (failing, count, total) = (0, 1, worstFirst.Value.Count);
        for (best = Try(count); count < total && !holds(best.Model); best = Try(count))
            (failing, count) = (count, Math.Min(count * 2, total));
        while (count - failing > 1)
        {
            var middle = Try((failing + count) / 2);
            if (holds(middle.Model)) (best, count) = (middle, middle.KeptFloat.Count);
            else failing = middle.KeptFloat.Count;
        }

        return best;

        (QuantizedModel Model, IReadOnlyList<string> KeptFloat) Try(int keptCount)
        {
            string[] kept = keptCount == 0 ? [] : [.. worstFirst.Value.Take(keptCount).Select(s => s.Layer)];
            return (quantization.Quantize(kept.ToHashSet(), cancellationToken), kept);
        }
    }
}
