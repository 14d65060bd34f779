using System.Globalization;
using Dunlin.Bundles.Golden;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Sessions;
using MathNet.Numerics.Distributions;

namespace Dunlin.Runtime.Racing;

/// <summary>Whether a variant classifies on this board as it did on the workstation: the same int8 file need not.</summary>
public static class GoldenCheck
{
    /// <summary>Probability of failing a variant whose true rate is its floor.</summary>
    public const double Alpha = 0.01;

    /// <summary>Runs every image once. A result that is not finite counts as wrong.</summary>
    /// <exception cref="ModelLoadException"><c>golden.unreadable</c>: the set is of another model size, or lacks this variant. <c>model.scores</c>: scores are no probabilities.</exception>
    public static GoldenResult Run(ModelSession session, InputSpec spec, GoldenSet golden, GoldenFloors floors, CancellationToken cancellationToken)
    {
        var variant = session.Contender.Variant;
        var shape = golden.Shape;
        if (shape.Width != spec.Width || shape.Height != spec.Height || shape.Channels != spec.ChannelCount)
            throw new ModelLoadException("golden.unreadable",
                $"The golden set has images of {shape.Width} × {shape.Height} × {shape.Channels}, the manifest's input is {spec.Width} × {spec.Height} × {spec.ChannelCount}; pack the bundle again.");
        if (!golden.Has(variant))
            throw new ModelLoadException("golden.unreadable", $"The golden set has no predictions of '{variant}' (it has {string.Join(", ", golden.Variants)}); pack the bundle again.");

        var images = new GoldenImages(spec);
        using var input = session.CreateInput();
        int agreeing = 0, correct = 0;
        for (var i = 0; i < golden.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            images.Fill(golden.Image(i), input);
            var scores = session.Run(input);
            RequireProbabilities(variant, scores);
            var best = Best(scores);
            if (best == golden.Prediction(variant, i)) agreeing++;
            if (best == golden.Label(i)) correct++;
        }

        var passed = Holds(agreeing, golden.Count, floors.Agreement) && Holds(correct, golden.Count, floors.Top1);
        return new GoldenResult(golden.Count, agreeing, correct, passed);
    }

    /// <summary>
    /// Exact one-sided binomial test: false if so few successes have a probability below <see cref="Alpha"/> where the true
    /// rate is <paramref name="floor"/>.
    /// </summary>
    internal static bool Holds(int successes, int samples, double floor) => floor switch
    {
        <= 0 => true,
        >= 1 => successes == samples,
        _ => Binomial.CDF(floor, samples, successes) >= Alpha,
    };

    // They may classify well, but a worker ends by the first that it reports.
    private static void RequireProbabilities(string variant, ReadOnlySpan<float> scores)
    {
        foreach (var score in scores)
        {
            if (float.IsFinite(score) && !ClassScore.IsProbability(score))
                throw new ModelLoadException("model.scores", string.Create(CultureInfo.InvariantCulture,
                    $"'{variant}' has scores outside 0…1, for example {score}; set output.activation to softmax, and pack the bundle again."));
        }
    }

    private static int Best(ReadOnlySpan<float> scores)
    {
        var best = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            if (!float.IsFinite(scores[i])) return -1;
            if (scores[i] > scores[best]) best = i;
        }

        return best;
    }
}
