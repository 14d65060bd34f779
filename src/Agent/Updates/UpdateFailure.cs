using Dunlin.Bundles.Store;

namespace Dunlin.Agent.Updates;

/// <summary>A failure with its code of <c>docs/operations.md</c> and a sentence.</summary>
internal sealed record UpdateFailure(string Code, string Detail)
{
    /// <summary>What an exception means for an update.</summary>
    public static UpdateFailure Of(Exception failure) => failure switch
    {
        IOException e when BlobStore.IsOutOfSpace(e) => new(UpdateCodes.DiskFull, $"The disk is full: {e.Message} Make room in the state directory."),
        IOException { HResult: StateAccess.ReadOnlyFileSystem } or UnauthorizedAccessException => new(UpdateCodes.DiskReadOnly, $"The state directory takes no writes: {failure.Message} Look at the kernel's log for errors of the disk, and mount it again."),
        IOException => new(UpdateCodes.DiskFailed, $"The disk failed: {failure.Message} What was written is lost; push again, and replace the disk if it stays so."),
        _ => new(UpdateCodes.Fault, $"The update broke down: {failure.Message} Report this with the agent's log."),
    };
}
