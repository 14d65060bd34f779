using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Reporting;

/// <summary>Why a window has no results though frames came.</summary>
internal static class FrameProblem
{
    /// <returns>A sentence; null if something was classified, or no frame came at all.</returns>
    public static string? Of(FrameWindow window) => window switch
    {
        { Frames.Classified: > 0 } => null,
        { Frames.Corrupt: > 0, Refusals.Count: > 0 } => $"Frames come, but none can be decoded: {string.Join("; or ", window.Refusals)}.",
        { NonFiniteCount: > 0 } => "Frames come, but no result is a finite number: the model is broken for them; push another release.",
        _ => null,
    };
}
