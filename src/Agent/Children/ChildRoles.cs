using Dunlin.Agent.Heats;
using Dunlin.Agent.Worker;

namespace Dunlin.Agent.Children;

/// <summary>The roles that only the supervisor starts.</summary>
internal static class ChildRoles
{
    /// <summary>Call first in <c>Main</c>, before anything is read or started: the exit code of a child, or null if this is none.</summary>
    public static int? TryRun(string[] arguments) => arguments switch
    {
        [ChildHost.WorkerRole, .. var own] => WorkerProgram.Run(own),
        [ChildHost.HeatRole, .. var own] => HeatProgram.Run(own),
        [ChildHost.WalkRole, .. var own] => WalkProgram.Run(own),
        [ChildHost.CameraRole, .. var own] => ChildProgram.RunCamera(own),
        _ => null,
    };
}
