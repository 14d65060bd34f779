namespace Dunlin.Optimizer.Evaluation;

/// <summary>What a model answered on one labelled image.</summary>
/// <param name="Label">The right class.</param>
/// <param name="Prediction">The class with the best score; of equal ones the first, as on a device.</param>
/// <param name="Rank">How many classes stand before the right one: 0 if the answer is right.</param>
/// <param name="Confidence">Probability of the prediction.</param>
internal readonly record struct ImageAnswer(int Label, int Prediction, int Rank, float Confidence)
{
    public bool IsRight => Prediction == Label;

    /// <param name="probabilities">By class; all finite.</param>
    /// <param name="label">The right class.</param>
    /// <exception cref="InvalidDataException">A score is not finite.</exception>
    public static ImageAnswer Of(ReadOnlySpan<float> probabilities, int label)
    {
        var (best, rank) = (0, 0);
        for (var i = 0; i < probabilities.Length; i++)
        {
            if (!float.IsFinite(probabilities[i])) throw new InvalidDataException($"The model's score of class {i} is {probabilities[i]}; its weights or its input's mean and scale are wrong.");
            if (probabilities[i] > probabilities[best]) best = i;
            if (probabilities[i] > probabilities[label] || (probabilities[i] == probabilities[label] && i < label)) rank++;
        }

        return new ImageAnswer(label, best, rank, probabilities[best]);
    }
}
