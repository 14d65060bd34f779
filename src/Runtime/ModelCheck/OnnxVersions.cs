namespace Dunlin.Runtime.ModelCheck;

/// <summary>The versions of the format that are supported: what ONNX Runtime 1.31.1 loads (a test holds it), from the oldest that exporters still write.</summary>
public static class OnnxVersions
{
    public const int OldestIr = 3;
    public const int NewestIr = 10;

    public const int OldestOpset = 7;
    public const int NewestOpset = 21;

    /// <summary>Of the domain <c>com.microsoft</c>.</summary>
    public const int MicrosoftOpset = 1;
}
