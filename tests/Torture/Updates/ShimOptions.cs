using System.Globalization;

namespace Dunlin.Torture.Updates;

/// <summary>What Shim/shim.c does in the supervisor.</summary>
/// <param name="Library">The built shim.</param>
/// <param name="Mode"><c>count</c>, <c>kill</c>, <c>sync</c> or <c>ask</c>.</param>
/// <param name="Log">Gets a line for each call that changes the state directory.</param>
/// <param name="At">The call for kill, the fsync for sync.</param>
/// <param name="Error">How the fsync fails: <c>EIO</c> or <c>ENOSPC</c>.</param>
/// <param name="Ask">For ask: the FIFO that calls are announced on.</param>
/// <param name="Go">For ask: the FIFO that lets the call happen.</param>
internal sealed record ShimOptions(string Library, string Mode, string Log, long At = 0, string Error = "EIO", string? Ask = null, string? Go = null)
{
    public void Apply(IDictionary<string, string?> environment, string root)
    {
        environment["LD_PRELOAD"] = Library;
        environment["DUNLIN_SHIM_ROOT"] = root;
        environment["DUNLIN_SHIM_MODE"] = Mode;
        environment["DUNLIN_SHIM_LOG"] = Log;
        environment["DUNLIN_SHIM_AT"] = At.ToString(CultureInfo.InvariantCulture);
        environment["DUNLIN_SHIM_ERROR"] = Error;
        if (Ask is not null) environment["DUNLIN_SHIM_ASK"] = Ask;
        if (Go is not null) environment["DUNLIN_SHIM_GO"] = Go;
    }
}
