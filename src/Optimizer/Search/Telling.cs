namespace Dunlin.Optimizer.Search;

/// <summary>What a search says while it runs: a line for each thing that is done, when, and bars of the budget and of what is going on.</summary>
internal sealed class Telling(Bars bars, Pace pace)
{
    public const int BarCount = 2;

    /// <summary>Something was done, or was found out.</summary>
    public void Say(string line) => bars.Say(line, $"{pace}");

    /// <summary>Something is going on; only bars show it.</summary>
    /// <param name="what">In a few words.</param>
    /// <param name="share">0…1 of it that is done.</param>
    public void Doing(string what, double share = 0)
    {
        bars.Show(0, $"{pace}", pace.Share);
        bars.Show(1, what, share);
    }
}
