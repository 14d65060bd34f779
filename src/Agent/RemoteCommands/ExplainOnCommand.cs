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
internal sealed class ExplainOnCommand(ServingService serving, HeatRunner heats, TrustedClock clock, TimeProvider time)
{
    private static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(1);

    public async Task<CommandResult> RunAsync(SignedCommand command, CancellationToken cancellationToken)
    {
        var (snapshot, problem) = await serving.SnapshotAsync(cancellationToken);
        if (snapshot is null || serving.Seated is not { } seated)
            return new CommandResult(SnapshotOnCommand.NoFrame, problem ?? ServingService.NothingServes);
        var session = seated.Session;
        var outcome = await serving.BesideAsync(token => heats.RunAsync(new ExplainFrame { Session = session, Image = snapshot.Image }, LimitsOf(command, seated), token), cancellationToken);
        if (outcome is null) return new CommandResult("explain.trial", "A release is on trial, or is about to be, and this would spoil its latency; ask again when the trial has ended.");
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

    /// <summary>When the command has expired, nobody waits for its reply any more.</summary>
    private HeatLimits LimitsOf(SignedCommand command, Seating seated)
    {
        var (limits, left) = (Vetting.GoldenLimitsOf(seated.Variant, Occlusion.RunCount(seated.Session.Input)), command.Expires - clock.Now);
        return limits with { WallTime = left > limits.WallTime ? limits.WallTime : left > LeastTime ? left : LeastTime };
    }
}
