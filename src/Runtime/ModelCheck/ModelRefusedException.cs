namespace Dunlin.Runtime.ModelCheck;

/// <summary>A model breaks a rule of the static check. The message says where, which rule, and what to do; text from the file is shortened and without control characters.</summary>
public sealed class ModelRefusedException(string code, string message) : Exception(message)
{
    /// <summary>One of <see cref="CheckCodes"/>.</summary>
    public string Code { get; } = code;
}
