namespace Dunlin.Optimizer.Quantization;

/// <summary>Keeps as few of the most sensitive layers in float as an accuracy limit asks for.</summary>
internal static class MixedPrecision
{
    /// <param name="quantization">Calibrated.</param>
    /// <param name="worstFirst">The layers' sensitivities; asked for only if the whole model does not hold the limit.</param>
    /// <param name="holds">Whether a model holds the limit.</param>
    /// <param name="cancellationToken">Checked before each layer.</param>
    /// <returns>The model, and the layers that it keeps in float. If nothing holds with at least one layer on bytes, the whole model on bytes.</returns>
    public static (QuantizedModel Model, IReadOnlyList<string> KeptFloat) Find(
        PostTraining quantization, Lazy<IReadOnlyList<LayerSensitivity>> worstFirst, Func<QuantizedModel, bool> holds, CancellationToken cancellationToken)
    {
        var whole = Try(0);
        if (holds(whole.Model)) return whole;
        // More in float is taken to be no worse: the number doubles until the limit holds, and is halved back.
        var (failing, most) = (0, worstFirst.Value.Count - 1);
        while (failing < most)
        {
            var candidate = Try(Math.Clamp(failing * 2, 1, most));
            if (holds(candidate.Model)) return Fewest(failing, candidate);
            failing = candidate.KeptFloat.Count;
        }

        return whole;

        (QuantizedModel Model, IReadOnlyList<string> KeptFloat) Fewest(int tooFew, (QuantizedModel Model, IReadOnlyList<string> KeptFloat) best)
        {
            while (best.KeptFloat.Count - tooFew > 1)
            {
                var middle = Try((tooFew + best.KeptFloat.Count) / 2);
                if (holds(middle.Model)) best = middle;
                else tooFew = middle.KeptFloat.Count;
            }

            return best;
        }

        (QuantizedModel Model, IReadOnlyList<string> KeptFloat) Try(int keptCount)
        {
            string[] kept = keptCount == 0 ? [] : [.. worstFirst.Value.Take(keptCount).Select(s => s.Layer)];
            return (quantization.Quantize(kept.ToHashSet(), cancellationToken), kept);
        }
    }
}
