using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;

namespace Dunlin.Runtime.Pipeline;

/// <summary>
/// One classified frame. Times in nanoseconds of CLOCK_MONOTONIC; the four stages add up to
/// <see cref="TotalNanoseconds"/>, which counts from the capture, so that no wait is left out.
/// </summary>
public readonly ref struct FrameOutcome
{
    /// <summary>The camera's count of the frame.</summary>
    public required long Number { get; init; }

    public required long CapturedNanoseconds { get; init; }

    /// <summary>Who classified it.</summary>
    public required ContenderId Contender { get; init; }

    /// <summary>The number of its session.</summary>
    public int Session { get; init; }

    /// <summary>All the time in which nobody worked on it: in the camera, in the slot, between the stages.</summary>
    public required long WaitNanoseconds { get; init; }

    public required long PreprocessNanoseconds { get; init; }
    public required long InferenceNanoseconds { get; init; }

    /// <summary>Choosing the best classes.</summary>
    public required long PostprocessNanoseconds { get; init; }

    /// <summary>Capture to hand-over.</summary>
    public required long TotalNanoseconds { get; init; }

    /// <summary>Best first; valid during the call only.</summary>
    public required ReadOnlySpan<ClassScore> Scores { get; init; }
}

/// <summary>Where results go. Called on the thread that infers; what it takes, the next frame waits. It must not allocate.</summary>
public interface IFrameObserver
{
    void OnResult(in FrameOutcome outcome);
}
