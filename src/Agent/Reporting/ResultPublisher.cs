using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Telemetry.Link;

namespace Dunlin.Agent.Reporting;

/// <summary>Turns a worker's result into the message <c>result</c>: names for indices, wall time for monotonic time. On the worker's pipe thread.</summary>
internal sealed class ResultPublisher(MqttLink link, LinkIdentity identity, MessageSequence sequence, TimeProvider time)
{
    /// <param name="session">What classified.</param>
    /// <param name="result">Checked already: its indices are labels.</param>
    public void Publish(SessionSpec session, FrameResult result)
    {
        var scores = new Score[result.Scores.Count];
        for (var i = 0; i < scores.Length; i++)
            scores[i] = new Score(result.Scores[i].Index, session.Labels[result.Scores[i].Index], result.Scores[i].Probability);
        link.PublishResult(new Classification
        {
            Schema = Classification.CurrentSchema,
            BootId = identity.BootId,
            Sequence = sequence.Next(),
            Frame = result.Frame,
            Captured = FrameTime.Of(result.CapturedNanoseconds, time),
            Release = session.Release,
            Variant = session.Contender.Variant,
            Scores = scores,
            LatencyMilliseconds = result.LatencyMilliseconds,
        });
    }
}
