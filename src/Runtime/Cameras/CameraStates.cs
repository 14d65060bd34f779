namespace Dunlin.Runtime.Cameras;

/// <summary>The values of <see cref="Contracts.Messages.CameraHealth.State"/>.</summary>
public static class CameraStates
{
    public const string Ok = "ok";
    public const string Starting = "starting";
    public const string Stalled = "stalled";
    public const string Absent = "absent";
    public const string Busy = "busy";
    public const string Failed = "failed";
}
