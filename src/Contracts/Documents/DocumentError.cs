namespace Dunlin.Contracts.Documents;

/// <summary>One rule that a document breaks.</summary>
/// <param name="Path">JSON path, for example <c>$.variants[2].id</c>.</param>
/// <param name="Value">What stands there, shortened; null if nothing does.</param>
/// <param name="Rule">What should stand there, as a phrase: <c>must be 1 or more</c>.</param>
/// <param name="NextStep">What the author can do about it.</param>
public sealed record DocumentError(string Path, string? Value, string Rule, string NextStep)
{
    public override string ToString() => Value is null ? $"{Path} {Rule}; {NextStep}." : $"{Path} is {Value}: it {Rule}; {NextStep}.";
}
