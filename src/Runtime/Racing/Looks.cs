namespace Dunlin.Runtime.Racing;

/// <summary>
/// When a race looks at its numbers, and how much of its error each look may spend: α · 6 / (π² k²) at the k-th,
/// which sums to α over any number of looks. They lie ever further apart, so that a long race is not paid for by the short.
/// </summary>
internal sealed class Looks(double alpha)
{
    private int _next = PairedTest.MinimumPairCount;
    private int _count;

    /// <summary>True if the race looks after this many rounds; <paramref name="spent"/> is then what it may spend.</summary>
    public bool IsDue(int rounds, out double spent)
    {
        spent = 0;
        if (rounds < _next) return false;
        _count++;
        _next = Math.Max(rounds + 1, (int)Math.Ceiling(rounds * 1.25));
        spent = alpha * 6 / (Math.PI * Math.PI * _count * _count);
        return true;
    }
}
