namespace Dunlin.Runtime.ModelCheck;

/// <summary>The versions of the format that are supported: up to the newest that ONNX Runtime 1.31.1 loads (a test holds it), from the oldest operators that it promises to run.</summary>
public static class OnnxVersions
{
    public const int OldestIr = 3;
    public const int NewestIr = 13;

    public const int OldestOpset = 7;
    public const int NewestOpset = 26;

    /// <summary>Of the domain <c>com.microsoft</c>.</summary>
    public const int MicrosoftOpset = 1;
}
