using System.Text.Json;
using Dunlin.Agent.Children;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Reporting;
using Dunlin.Agent.Serving;
using Dunlin.Agent.Updates;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Explaining;
using Dunlin.Telemetry.Commands;

namespace Dunlin.Agent.RemoteCommands;

/// <summary>The command <c>explain</c>: its reply holds the next frame, and where the model that serves looks in it. In a heat, beside the worker, which goes on.</summary>
internal sealed class ExplainOnCommand(ServingService serving, TrialWatch trial, HeatRunner heats, TimeProvider time)
{
    public async Task<CommandResult> RunAsync(SignedCommand command, CancellationToken cancellationToken)
    {
        if (trial.IsUnderWay) return new CommandResult("explain.trial", "A release is on trial, and this would spoil its latency; ask again when the trial has ended.");
        var (snapshot, problem) = await serving.SnapshotAsync(cancellationToken);
        if (snapshot is null || serving.Seated is not { } seated) return new CommandResult(SnapshotOnCommand.NoFrame, problem);
        var session = seated.Session;
        var limits = Vetting.GoldenLimitsOf(seated.Variant, Occlusion.RunCount(session.Input));
        var outcome = await heats.RunAsync(new ExplainFrame { Session = session, Image = snapshot.Image }, limits, cancellationToken);
        if (outcome.Answer is not FrameExplained explained) return new CommandResult("explain.failed", $"'{session.Contender}' could not be explained ({outcome.Code}): {outcome.Reason}");
        return new CommandResult(Payload: JsonSerializer.SerializeToElement(new Explanation
        {
            Image = snapshot.Image,
            Frame = snapshot.Frame,
            Captured = FrameTime.Of(snapshot.CapturedNanoseconds, time),
            Width = snapshot.Width,
            Height = snapshot.Height,
            Release = session.Release,
            Variant = session.Contender.Variant,
            Score = new Score(explained.Score.Index, session.Labels[explained.Score.Index], explained.Score.Probability),
            Area = explained.Area,
            Columns = explained.Columns,
            Rows = explained.Rows,
            Heat = explained.Heat,
        }, MessageJson.Default.Explanation));
    }
}
