namespace Dunlin.Bench.Measuring;

/// <summary>How long to measure.</summary>
/// <param name="Seconds">Of each leg, after its warm-up.</param>
/// <param name="Rounds">Of A B B A.</param>
/// <param name="Starts">Measured process starts.</param>
/// <param name="Races">Races of the demo bundle.</param>
internal sealed record Settings(double Seconds, int Rounds, int Starts, int Races)
{
    public static Settings Full { get; } = new(4, 5, 9, 200);

    /// <summary>Whether all of it works; its numbers mean little.</summary>
    public static Settings Quick { get; } = new(1.5, 1, 3, 10);

    public static TimeSpan WarmUp { get; } = TimeSpan.FromSeconds(1);
}
