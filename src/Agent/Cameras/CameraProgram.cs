namespace Dunlin.Agent.Cameras;

/// <summary>A program whose standard output is a stream of concatenated JPEG images.</summary>
/// <param name="FileName">Name or absolute path of the executable.</param>
/// <param name="Arguments">Hold no secret: every user of the machine can read them in /proc.</param>
public sealed record CameraProgram(string FileName, IReadOnlyList<string> Arguments)
{
    /// <summary>To be written to its standard input, which is then closed. May hold passwords: never log it. Null: give it /dev/null.</summary>
    public string? StandardInput { get; init; }

    /// <summary>Files that it may read besides system folders and devices: the video file.</summary>
    public IReadOnlyList<string> Read { get; init; } = [];

    /// <summary>When it ends by itself, all is delivered: a film that is not repeated.</summary>
    public bool IsFinite { get; init; }

    /// <summary>For the log; without <see cref="StandardInput"/>.</summary>
    public override string ToString() => $"{FileName} {string.Join(' ', Arguments)}";
}
