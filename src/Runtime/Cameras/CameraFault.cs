namespace Dunlin.Runtime.Cameras;

/// <summary>Why a camera delivers nothing: a value of <see cref="CameraStates"/>, and a sentence with what to do.</summary>
internal sealed record CameraFault(string State, string Detail);
