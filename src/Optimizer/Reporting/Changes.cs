using System.Globalization;
using Dunlin.Optimizer.Evaluation;

namespace Dunlin.Optimizer.Reporting;

/// <summary>Numbers as a report writes them: with the sign that typography has, and as few digits as say something.</summary>
internal static class Changes
{
    /// <summary><c>−73 %</c>; of what grew to more than twice, <c>2.3×</c>.</summary>
    public static string Percent(double now, double before)
    {
        if (before <= 0) return "";
        var change = now / before - 1;
        return change > 1 ? $"{Digits(now / before)}×" : Math.Abs(change) < 0.0005 ? "±0 %" : Number(change * 100, DigitsOf(change)) + " %";
    }

    // Of little change, and of little that is left, a whole percent says nothing.
    private static string DigitsOf(double change) => change is > -0.985 and < -0.0995 or >= 0.0995 or -1 ? "+0;−0" : change > -0.9985 ? "+0.0;−0.0" : "+0.00;−0.00";

    /// <summary><c>3.1× faster</c>, <c>1.2× slower</c>.</summary>
    public static string Speed(double now, double before) => now <= before ? $"{Digits(before / now)}× faster" : $"{Digits(now / before)}× slower";

    /// <summary><c>92.03 % (91.48–92.55)</c></summary>
    public static string Share(Estimate share) => $"{Points(share.Value)} ({Points(share.Low)}–{Points(share.High)})";

    /// <summary><c>−0.66 (−1.01 to −0.30)</c></summary>
    public static string Difference(Estimate difference) => $"{SignedPoints(difference.Value)} ({SignedPoints(difference.Low)} to {SignedPoints(difference.High)})";

    /// <summary>0.9203 is <c>92.03</c>.</summary>
    public static string Points(double share) => Number(share * 100, "0.00");

    public static string SignedPoints(double share) => Number(share * 100, "+0.00;−0.00;0.00");

    /// <summary>Three significant digits.</summary>
    public static string Digits(double value) => Math.Abs(value) switch
    {
        0 => "0",
        >= 100 => Number(value, "0"),
        >= 10 => Number(value, "0.0"),
        >= 1 => Number(value, "0.00"),
        >= 0.1 => Number(value, "0.000"),
        _ => Number(value, "0.0000"),
    };

    /// <summary>A round number without more digits than it has.</summary>
    public static string Short(double value) => Number(value, "0.######");

    /// <summary>Thousands apart: <c>307,402</c>.</summary>
    public static string Count(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
