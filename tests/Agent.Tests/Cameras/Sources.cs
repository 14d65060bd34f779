using Dunlin.Agent.Cameras;

namespace Dunlin.Agent.Tests.Cameras;

/// <summary>Camera sources that parse.</summary>
internal static class Sources
{
    public static CameraSource Of(string text) => CameraSource.TryParse(text, out var source, out var error) ? source : throw new FormatException(error);
}
