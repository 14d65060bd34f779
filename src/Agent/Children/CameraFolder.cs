using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Cameras;

namespace Dunlin.Agent.Children;

/// <summary>
/// A folder camera seen from outside the sandbox. Landlock's rules hold for what was there when the worker started; a folder
/// that comes later, or is made anew, is out of the worker's reach. Thread-safe.
/// </summary>
internal sealed class CameraFolder(CameraSpec camera)
{
    private readonly FileIdentity? _atStart = FolderOf(camera);
    private volatile bool _isMissed;

    /// <summary>The worker has no frames, and the folder that is there now was not there at its start.</summary>
    public bool IsOutOfReach => _isMissed && FolderOf(camera) is { } now && now != _atStart;

    /// <param name="health">As the worker sees its camera.</param>
    public void Observe(CameraHealth health) => _isMissed = health.State is not (CameraStates.Ok or CameraStates.Starting);

    private static FileIdentity? FolderOf(CameraSpec camera) =>
        camera.Kind == CameraKind.Folder && Directory.Exists(camera.Source) ? FileIdentity.Of(camera.Source) : null;
}
