using System.Diagnostics.CodeAnalysis;

namespace Dunlin.Contracts.Documents;

/// <summary>A document that keeps every rule, or all the rules that it breaks.</summary>
public sealed class DocumentResult<T>
    where T : class
{
    private readonly string _kind;

    internal DocumentResult(string kind, T? value, IReadOnlyList<DocumentError> errors) => (_kind, Value, Errors) = (kind, errors.Count == 0 ? value : null, errors);

    /// <summary>Null if there are errors.</summary>
    public T? Value { get; }

    public IReadOnlyList<DocumentError> Errors { get; }

    [MemberNotNullWhen(true, nameof(Value))]
    public bool IsValid => Value is not null;

    /// <exception cref="DocumentException">The document breaks a rule.</exception>
    public T GetOrThrow() => Value ?? throw new DocumentException(_kind, Errors);
}

/// <summary>A document that breaks its rules.</summary>
public sealed class DocumentException(string kind, IReadOnlyList<DocumentError> errors)
    : Exception($"The {kind} is invalid: {string.Join(" ", errors)}")
{
    public IReadOnlyList<DocumentError> Errors { get; } = errors;
}
