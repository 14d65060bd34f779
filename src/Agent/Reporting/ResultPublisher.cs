using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Outbox;

namespace Dunlin.Agent.Reporting;

/// <summary>Turns a worker's result into the message <c>result</c>: names for indices, wall time for monotonic time. On the worker's pipe thread.</summary>
internal sealed class ResultPublisher(MessagePublisher publisher, LinkIdentity identity, MessageSequence sequence, TimeProvider time)
{
    private Serving? _serving;

    /// <summary>What the results that follow come from; set before the worker loads it.</summary>
    public void SetServing(Digest release, IReadOnlyList<string> labels) => Volatile.Write(ref _serving, new Serving(release, labels));

    /// <param name="result">Checked already: its indices are labels.</param>
    /// <param name="variant">What classified.</param>
    public void Publish(FrameResult result, string variant)
    {
        if (Volatile.Read(ref _serving) is not { } serving) return;
        var scores = new Score[result.Scores.Count];
        for (var i = 0; i < scores.Length; i++)
            scores[i] = new Score(result.Scores[i].Index, serving.Labels[result.Scores[i].Index], result.Scores[i].Probability);
        var age = TimeSpan.FromTicks((time.GetTimestamp() - result.CapturedNanoseconds) / TimeSpan.NanosecondsPerTick);
        publisher.Publish(new Classification
        {
            Schema = Classification.CurrentSchema,
            BootId = identity.BootId,
            Sequence = sequence.Next(),
            Frame = result.Frame,
            Captured = time.GetUtcNow() - age,
            Release = serving.Release,
            Variant = variant,
            Scores = scores,
            LatencyMilliseconds = result.LatencyMilliseconds,
        });
    }

    private sealed record Serving(Digest Release, IReadOnlyList<string> Labels);
}
