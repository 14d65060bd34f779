using System.Numerics;
using Dunlin.Contracts.Worker;

namespace Dunlin.Runtime.Pipeline;

/// <summary>The best classes out of many, without sorting them and without allocating.</summary>
public static class TopScores
{
    /// <summary>Fills <paramref name="best"/>, best first; of equal scores the lower index comes first.</summary>
    /// <returns>How many there are: the smaller of the two lengths. -1 if any score is not finite.</returns>
    public static int Select(ReadOnlySpan<float> scores, Span<ClassScore> best)
    {
        if (!AreFinite(scores)) return -1;
        var count = 0;
        if (best.IsEmpty) return count;
        for (var i = 0; i < scores.Length; i++)
        {
            if (count == best.Length && !(scores[i] > best[count - 1].Probability)) continue;
            if (count < best.Length) count++;
            var place = count - 1;
            for (; place > 0 && scores[i] > best[place - 1].Probability; place--) best[place] = best[place - 1];
            best[place] = new ClassScore(i, scores[i]);
        }

        return count;
    }

    private static bool AreFinite(ReadOnlySpan<float> scores)
    {
        // 0 · x is 0 for finite x, else NaN.
        var sum = Vector<float>.Zero;
        var i = 0;
        for (; i + Vector<float>.Count <= scores.Length; i += Vector<float>.Count) sum += new Vector<float>(scores[i..]) * 0f;
        var rest = Vector.Sum(sum);
        for (; i < scores.Length; i++) rest += scores[i] * 0f;
        return rest == 0;
    }
}
