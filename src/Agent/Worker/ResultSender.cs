using Dunlin.Agent.Children;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Pipeline;

namespace Dunlin.Agent.Worker;

/// <summary>Counts each result into the window and sends those that were asked for. On the inference thread; allocates nothing.</summary>
internal sealed class ResultSender(SupervisorPipe pipe, LoopSpec loop, WindowRecorder window, Action<int> changed) : IFrameObserver
{
    private const double NanosecondsPerMillisecond = 1e6;

    private long _sinceSent;
    private int _lastBest = -1;
    private int _session;

    public void OnResult(in FrameOutcome outcome)
    {
        if (outcome.Session != _session)
        {
            // The window of the session before it ends here, so that no window counts two; it allocates once a swap.
            changed(outcome.Session);
            (_session, _lastBest) = (outcome.Session, -1);
        }

        window.Record(outcome);
        var best = outcome.Scores.IsEmpty ? -1 : outcome.Scores[0].Index;
        var due = loop.ResultEvery > 0 ? ++_sinceSent >= loop.ResultEvery : best != _lastBest;
        _lastBest = best;
        if (!due) return;
        _sinceSent = 0;
        pipe.SendResult(outcome.Number, outcome.Session, outcome.CapturedNanoseconds, outcome.TotalNanoseconds / NanosecondsPerMillisecond, outcome.Scores);
    }
}
