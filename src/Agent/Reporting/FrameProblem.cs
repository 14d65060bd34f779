using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Preprocessing;

namespace Dunlin.Agent.Reporting;

/// <summary>Why a window has no results though frames came.</summary>
internal static class FrameProblem
{
    /// <returns>A sentence; null if something was classified, or no frame came at all.</returns>
    public static string? Of(FrameWindow window) => window switch
    {
        { Frames.Classified: > 0 } => null,
        { Frames.Corrupt: > 0 } =>
            $"Frames come, but none can be decoded: each is cut, damaged, no JPEG, or larger than {JpegLimits.Default.MaximumPixelCount} pixels (progressive: {JpegLimits.Default.MaximumBufferedPixelCount}). Save one, and 'dunlin-agent classify' says what is wrong with it.",
        { NonFiniteCount: > 0 } => "Frames come, but no result is a finite number: the model is broken for them; push another release.",
        _ => null,
    };
}
