using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Children;

/// <summary>
/// A folder camera seen from outside the sandbox. Landlock's rules hold for what was there when the worker started; a folder
/// that comes later is out of the worker's reach. Thread-safe.
/// </summary>
internal sealed class CameraFolder(CameraSpec camera)
{
    private readonly bool _wasThere = IsThere(camera);
    private volatile bool _isMissed;

    /// <summary>The worker has no frames, and the folder that was absent at its start is there now.</summary>
    public bool IsOutOfReach => _isMissed && !_wasThere && IsThere(camera);

    /// <param name="health">As the worker sees its camera.</param>
    public void Observe(CameraHealth health) => _isMissed = health.State is not ("ok" or "starting");

    private static bool IsThere(CameraSpec camera) => camera.Kind == CameraKind.Folder && Directory.Exists(camera.Source);
}
