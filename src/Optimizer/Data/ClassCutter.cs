using Dunlin.Contracts.Artifacts;

namespace Dunlin.Optimizer.Data;

/// <summary>
/// Cuts the images of class after class into parts. What rounding took from a part, or gave it, goes to the next class, so that many small
/// classes give the parts their shares too: of five images each, every other one has one to search with.
/// </summary>
internal sealed class ClassCutter(int seed, SplitShares shares, bool hasTestSet)
{
    private double _heldOut, _search, _choosing;

    /// <param name="images">Of one class; at least one is held out, unless there is a test set.</param>
    /// <param name="chosen">Told the part of each.</param>
    public void Cut(IReadOnlyList<Digest> images, Dictionary<Digest, SplitPart> chosen)
    {
        var learning = shares.Train + shares.Calibration + shares.Search;
        var heldOut = hasTestSet ? 0 : Rounded(images.Count * shares.HeldOut / (learning + shares.HeldOut), Math.Min(1, images.Count), images.Count, ref _heldOut);
        var rest = images.Count - heldOut;
        var search = Rounded(rest * shares.Search / learning, 0, rest, ref _search);
        // With those for calibration, so that both together never are more than there are.
        var choosing = Rounded(rest * (shares.Search + shares.Calibration) / learning, search, rest, ref _choosing);
        foreach (var (place, image) in images.OrderBy(i => DataSplit.Place(i, seed)).Index())
            chosen[image] = place < heldOut ? SplitPart.HeldOut : place < heldOut + search ? SplitPart.Search : place < heldOut + choosing ? SplitPart.Calibration : SplitPart.Train;
    }

    // What a bound gave or took is not evened out: classes of many images keep their shares.
    private static int Rounded(double share, int least, int most, ref double carried)
    {
        var count = Math.Clamp((int)Math.Round(share + carried), least, most);
        carried = Math.Clamp(share + carried - count, -0.5, 0.5);
        return count;
    }
}
