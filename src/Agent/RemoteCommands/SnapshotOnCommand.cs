using System.Text.Json;
using Dunlin.Agent.Reporting;
using Dunlin.Agent.Serving;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Telemetry.Commands;

namespace Dunlin.Agent.RemoteCommands;

/// <summary>The command <c>snapshot</c>: its reply holds the next frame.</summary>
internal sealed class SnapshotOnCommand(ServingService serving, TimeProvider time)
{
    public const string NoFrame = "snapshot.no-frame";

    public async Task<CommandResult> RunAsync(SignedCommand command, CancellationToken cancellationToken)
    {
        var (snapshot, problem) = await serving.SnapshotAsync(cancellationToken);
        if (snapshot is null) return new CommandResult(NoFrame, problem);
        return new CommandResult(Payload: JsonSerializer.SerializeToElement(new Snapshot
        {
            Image = snapshot.Image,
            Frame = snapshot.Frame,
            Captured = FrameTime.Of(snapshot.CapturedNanoseconds, time),
            Width = snapshot.Width,
            Height = snapshot.Height,
        }, MessageJson.Default.Snapshot));
    }
}
