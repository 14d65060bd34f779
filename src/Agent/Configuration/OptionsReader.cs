using System.Text.Json;
using Dunlin.Agent.Cameras;
using Dunlin.Contracts.Race;
using Dunlin.Telemetry.Power;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Dunlin.Agent.Configuration;

/// <summary>Binds and validates sections, and collects what is wrong with them, each with key, value and rule.</summary>
internal sealed class OptionsReader(IConfiguration configuration)
{
    private readonly List<string> _failures = [];

    /// <returns>The defaults where the section is absent or wrong.</returns>
    public T Read<T>(string name, Func<IConfigurationSection, T?> bind, IValidateOptions<T>? validator)
        where T : class, new()
    {
        try
        {
            var options = bind(configuration.GetSection(name)) ?? new T();
            if (validator?.Validate("", options) is not { Failed: true } failed) return options;
            _failures.AddRange(failed.Failures.Select(failure => Describe<T>(name, failure)));
        }
        catch (InvalidOperationException e)
        {
            _failures.Add(UnknownKeys(name, e.Message) ?? WithRule(e.Message));
        }

        return new T();
    }

    /// <summary>What must hold between sections, where they are right by themselves.</summary>
    public void Require(bool condition, string section, string key, string rule)
    {
        if (!condition) _failures.Add(Sentence($"{section}:{key}", rule));
    }

    /// <exception cref="ConfigurationException">All that is wrong.</exception>
    public void ThrowIfAny()
    {
        if (_failures.Count > 0) throw new ConfigurationException(string.Join(Environment.NewLine, _failures));
    }

    private string Describe<T>(string section, string failure)
    {
        var colon = failure.IndexOf(": ", StringComparison.Ordinal);
        if (colon < 0) return failure;
        var rule = failure[(colon + 2)..].Replace($"The field {typeof(T).Name}.{failure[..colon]} ", "", StringComparison.Ordinal).TrimEnd('.');
        return Sentence($"{section}:{failure[..colon]}", rule);
    }

    private string Sentence(string key, string rule) => $"{key} {rule}; it is '{WithoutPassword(configuration[key] ?? "")}'.";

    /// <summary>The binder says them with its own type and option, which help nobody.</summary>
    private static string? UnknownKeys(string section, string message)
    {
        var at = message.IndexOf(" were not found on the instance of ", StringComparison.Ordinal);
        return at < 0 ? null : $"{section} has no key {message[(message.IndexOf(": ", at, StringComparison.Ordinal) + 2)..]}; /usr/share/doc/dunlin-agent/configuration.md has them all.";
    }

    /// <summary>What the binder cannot convert, it says with key, value and type.</summary>
    private static string WithRule(string message)
    {
        const string mark = "to type '";
        var at = message.LastIndexOf(mark, StringComparison.Ordinal);
        if (at < 0) return message;
        var type = message[(at + mark.Length)..].TrimEnd('.', '\'', ']');
        var rule = type[(type.LastIndexOfAny(['.', '[']) + 1)..] switch
        {
            nameof(Int32) or nameof(Int64) => "a whole number",
            nameof(Double) => "a number",
            nameof(Boolean) => "true or false",
            nameof(Objective) => Names<Objective>(),
            nameof(StreamEncoding) => Names<StreamEncoding>(),
            nameof(PowerKind) => Names<PowerKind>(),
            _ => null,
        };
        return rule is null ? message : $"{message.TrimEnd('.')}; write {rule}.";
    }

    private static string Names<T>()
        where T : struct, Enum => string.Join(", ", Enum.GetNames<T>().Select(JsonNamingPolicy.CamelCase.ConvertName));

    /// <summary>A URL may hold one, also where none belongs; so may <c>user:password@host</c>.</summary>
    private static string WithoutPassword(string value)
    {
        const string mark = "://";
        return value.Contains(mark, StringComparison.Ordinal) ? UrlRedaction.Redact(value) : UrlRedaction.Redact(mark + value)[mark.Length..];
    }
}
