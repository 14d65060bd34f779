using Dunlin.Agent.Racing;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Telemetry.Latencies;

namespace Dunlin.Agent.Children;

/// <summary>What a child's messages must satisfy beyond their form, since a child may be in a model's hands: indices exist, counts are counts, numbers are numbers.</summary>
internal static class ChildMessageRules
{
    /// <summary>Of one image.</summary>
    public const int MaximumScoreCount = 1000;

    private const double ShortestWindowSeconds = 1e-6;
    private const int MaximumTextLength = 2000;
    private const int MaximumStageCount = 16;
    private const int MaximumRefusalCount = 8;
    private const double MaximumMilliseconds = 1e9;

    public static void Check(Ready ready)
    {
        Require(ready.Protocol == Hello.CurrentProtocol, $"It speaks protocol {ready.Protocol}, the agent {Hello.CurrentProtocol}.");
        Require(ready.MissingSandbox.Count <= MaximumStageCount, "It names too many missing kernel features.");
        foreach (var sentence in ready.MissingSandbox) Text(sentence);
        Text(ready.OnnxRuntimeVersion);
        // Empty: a static check, which loads no library. Verdicts, saved models and the quarantine are of the agent's version.
        Require(ready.OnnxRuntimeVersion is "" || ready.OnnxRuntimeVersion == OnnxRuntime.Version,
            $"Its libonnxruntime is version {ready.OnnxRuntimeVersion}, the agent was built with {OnnxRuntime.Version}; install both from one package.");
    }

    public static void Check(Loaded loaded) => Milliseconds(loaded.LoadMilliseconds);

    /// <param name="result">What the worker says of a frame.</param>
    /// <param name="classCount">Classes of the model that serves.</param>
    public static void Check(FrameResult result, int classCount)
    {
        Require(result.Frame >= 0 && result.CapturedNanoseconds >= 0, "A frame's number or time is negative.");
        Milliseconds(result.LatencyMilliseconds);
        Scores(result.Scores, classCount);
    }

    public static void Check(FrameWindow window, int classCount)
    {
        // A change of sessions ends a window whenever it comes, also right after one that was due.
        Require(window.WindowSeconds is >= ShortestWindowSeconds and < MaximumMilliseconds, "A window's length is no length.");
        var frames = window.Frames;
        foreach (var count in (long[])[frames.Captured, frames.Classified, frames.Dropped, frames.Stale, frames.Late, frames.Corrupt, window.NonFiniteCount, window.AllocatedByteCount])
            Count(count);
        Require(window.Refusals.Count <= MaximumRefusalCount, $"{window.Refusals.Count} reasons for corrupt frames are too many.");
        foreach (var refusal in window.Refusals) Text(refusal);
        Require(double.IsFinite(window.CpuSeconds) && window.CpuSeconds >= 0, "CPU seconds are no number.");
        Check(window.Latency);
        Require(window.Stages.Count <= MaximumStageCount, $"{window.Stages.Count} stages are too many.");
        foreach (var (stage, histogram) in window.Stages)
        {
            Text(stage);
            Check(histogram);
        }

        foreach (var (index, count) in window.Classes)
        {
            Class(index, classCount);
            Count(count);
        }

        Check(window.Camera);
        Require(window.Confidence.Count == FrameWindow.ConfidenceBinCount, $"Confidence has {window.Confidence.Count} bins, not {FrameWindow.ConfidenceBinCount}.");
        foreach (var count in window.Confidence) Count(count);
    }

    public static void Check(FrameSnapshot snapshot)
    {
        if (snapshot.Problem is { } problem)
        {
            Text(problem);
            Require(snapshot.Image.IsEmpty, "It says why there is no image, and sends one.");
            return;
        }

        Require(snapshot.Frame >= 0 && snapshot.CapturedNanoseconds >= 0, "A frame's number or time is negative.");
        Picture(PictureRules.OfImage(snapshot.Image, snapshot.Width, snapshot.Height));
    }

    public static void Check(CameraHealth camera)
    {
        foreach (var text in (string?[])[camera.Camera, camera.State, camera.Format, camera.Detail])
            if (text is not null) Text(text);
        foreach (var rate in (double?[])[camera.ExpectedFramesPerSecond, camera.ActualFramesPerSecond])
            Require(rate is null or (>= 0 and < MaximumMilliseconds), $"{rate} frames per second are no rate.");
        foreach (var count in (long[])[camera.StallCount, camera.ReconnectCount, camera.CorruptCount, camera.MissedCount]) Count(count);
    }

    public static void Check(ChildError error)
    {
        Text(error.Code);
        Text(error.Detail);
    }

    public static void CheckAnswer(FromChild answer, ToChild request)
    {
        switch (answer, request)
        {
            case (ChildError error, _):
                Check(error);
                break;
            case (ModelChecked found, CheckModel):
                foreach (var count in (long[])[found.NodeCount, found.TensorCount, found.WeightByteCount]) Count(count);
                break;
            case (Prepared prepared, Prepare):
                Milliseconds(prepared.LoadMilliseconds);
                Count(prepared.MemoryByteCount);
                break;
            case (GoldenVerdict { Result: var golden }, Golden):
                Require(golden.SampleCount > 0 && golden.AgreementCount >= 0 && golden.AgreementCount <= golden.SampleCount
                    && golden.CorrectCount >= 0 && golden.CorrectCount <= golden.SampleCount, "The golden check's counts contradict each other.");
                break;
            case (HeatVerdict verdict, Heat heat):
                Contenders(verdict, heat);
                break;
            case (Classified classified, Classify classify):
                Require(classified.Images.Count == classify.Images.Count, $"{classify.Images.Count} images were asked for, {classified.Images.Count} were answered.");
                foreach (var image in classified.Images)
                {
                    Milliseconds(image.LatencyMilliseconds);
                    Scores(image.Scores, classify.Session.ClassCount);
                    if (image.Error is { } error) Text(error);
                }

                break;
            case (FrameExplained explained, ExplainFrame explain):
                Scores([explained.Score], explain.Session.ClassCount);
                Picture(PictureRules.OfHeat(explained.Heat, explained.Columns, explained.Rows, explained.Area));
                break;
            default:
                throw new MessageException($"'{answer.GetType().Name}' is no answer to '{request.GetType().Name}'.");
        }
    }

    private static void Contenders(HeatVerdict verdict, Heat heat)
    {
        Require(verdict.Contenders.Count == heat.Sessions.Count, $"{heat.Sessions.Count} contenders were sent, {verdict.Contenders.Count} came back.");
        Text(verdict.Reason);
        Require(verdict.Ran is not { } ran || (ran.BeginNanoseconds >= 0 && ran.BeginNanoseconds < ran.EndNanoseconds), "Its runs end before they begin.");
        for (var i = 0; i < heat.Sessions.Count; i++)
        {
            var contender = verdict.Contenders[i];
            Require(contender.Contender == heat.Sessions[i].Contender, $"Contender {i} is '{contender.Contender}', not the '{heat.Sessions[i].Contender}' that was sent.");
            Text(contender.Reason);
            Text(contender.ReasonCode);
            Require(Enum.IsDefined(contender.Outcome), "A contender's outcome is none.");
            Count(contender.RunCount);
            Count(contender.ThrottledRunCount);
            if (contender.CpuMilliseconds is { } cpu) Milliseconds(cpu);
            if (contender.LatencyMilliseconds is not { } latency) continue;
            foreach (var value in (double[])[latency.P50, latency.P95, latency.P99, latency.Max]) Milliseconds(value);
        }

        Require(verdict.Winner is null || verdict.Contenders.Any(c => c.Contender == verdict.Winner && c.Outcome is ContenderOutcome.Won), "The winner is none of the contenders that won.");
    }

    private static void Scores(IReadOnlyList<ClassScore> scores, int classCount)
    {
        Require(scores.Count <= Math.Min(MaximumScoreCount, classCount), $"{scores.Count} scores are more than there are classes.");
        foreach (var score in scores)
        {
            Class(score.Index, classCount);
            Require(ClassScore.IsProbability(score.Probability), $"The probability {score.Probability} lies outside 0…1.");
        }
    }

    private static void Check(Histogram histogram)
    {
        Text(histogram.Unit);
        if (LatencyMath.Problem(histogram) is { } problem) throw new MessageException(problem);
        Count(LatencyMath.Count(histogram));
    }

    private static void Picture(string? problem) => Require(problem is null, $"It sent {problem}.");

    private static void Class(int index, int classCount) =>
        Require(index >= 0 && index < classCount, $"Class {index} does not exist: the model has {classCount}.");

    private static void Count(long count) => Require(count >= 0 && count < 1L << 53, $"The count {count} is no count.");

    private static void Milliseconds(double value) => Require(value is >= 0 and < MaximumMilliseconds, $"{value} ms is no duration.");

    private static void Text(string text) => Require(text.Length <= MaximumTextLength, $"A text of {text.Length} characters is too long.");

    private static void Require(bool holds, string otherwise)
    {
        if (!holds) throw new MessageException(otherwise);
    }
}
