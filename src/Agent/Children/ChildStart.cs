namespace Dunlin.Agent.Children;

/// <summary>How a process is started: nothing of the supervisor's environment or descriptors goes with it but what stands here.</summary>
public sealed record ChildStart
{
    /// <summary>What messages and the log call it: <c>worker</c>, <c>heat</c>, <c>camera</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Absolute path of the program.</summary>
    public required string Executable { get; init; }

    /// <summary>Without the program's own name.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary><c>NAME=value</c>.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    public required string WorkingDirectory { get; init; }

    /// <summary>With the two message pipes on <see cref="ChildDescriptors.FromSupervisor"/> and <see cref="ChildDescriptors.ToSupervisor"/>.</summary>
    public bool Messages { get; init; } = true;

    /// <summary>To be read from standard input, at most <see cref="MaximumInputByteCount"/> bytes of UTF-8; may be a secret, is never logged. Null: /dev/null.</summary>
    public string? StandardInput { get; init; }

    /// <summary>What a pipe holds without a reader.</summary>
    public const int MaximumInputByteCount = 32 * 1024;

    /// <summary>A descriptor of the supervisor for <see cref="ChildDescriptors.Camera"/>; it stays the supervisor's.</summary>
    public int? Camera { get; init; }

    /// <summary>A descriptor of the supervisor for standard output instead of the log; it stays the supervisor's.</summary>
    public int? StandardOutput { get; init; }
}

/// <summary>The descriptors of a child, by number. Standard input is /dev/null, standard output and error go to the log.</summary>
public static class ChildDescriptors
{
    public const int FromSupervisor = 3;
    public const int ToSupervisor = 4;
    public const int Camera = 5;
}
