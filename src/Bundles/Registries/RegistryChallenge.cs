using System.Text;
using System.Text.Json;

namespace Dunlin.Bundles.Registries;

/// <summary>
/// A registry's Bearer challenge and the token that it asks for (OCI distribution specification; Docker's "Token Authentication
/// Specification", https://distribution.github.io/distribution/spec/auth/token/). Which hosts may be asked, with which
/// credentials, is the caller's to judge. Immutable.
/// </summary>
public sealed class RegistryChallenge
{
    private const int MaximumAnswerByteCount = 64 * 1024;
    private readonly string? _service;

    private RegistryChallenge(Uri? realm, string? service) => (Realm, _service) = (realm, service);

    /// <summary>Who gives the token; null where the challenge names no address of HTTP.</summary>
    public Uri? Realm { get; }

    /// <summary>Takes what it understands; no text breaks it.</summary>
    /// <param name="challenge">What follows <c>Bearer</c> in a WWW-Authenticate header.</param>
    public static RegistryChallenge Parse(string challenge)
    {
        var parameters = ParametersOf(challenge);
        var realm = Uri.TryCreate(parameters.GetValueOrDefault("realm"), UriKind.Absolute, out var address) && address.Scheme is "http" or "https" ? address : null;
        return new RegistryChallenge(realm, parameters.GetValueOrDefault("service"));
    }

    /// <summary>Where to get a token for one repository, whatever scope the challenge says.</summary>
    /// <param name="repository">Its name in the registry.</param>
    /// <param name="actions"><c>pull</c>, or <c>pull,push</c>.</param>
    /// <exception cref="InvalidOperationException">There is no <see cref="Realm"/>.</exception>
    public Uri TokenAddress(string repository, string actions)
    {
        var realm = Realm ?? throw new InvalidOperationException("The challenge names no realm.");
        var query = $"scope={Uri.EscapeDataString($"repository:{repository}:{actions}")}";
        if (_service is not null) query = $"service={Uri.EscapeDataString(_service)}&{query}";
        return new UriBuilder(realm) { Query = realm.Query.Length > 1 ? $"{realm.Query[1..]}&{query}" : query, UserName = "", Password = "", Fragment = "" }.Uri;
    }

    /// <summary>The token in a realm's answer, of at most 64 KiB; null if there is none that a header could carry.</summary>
    public static async Task<string?> ReadTokenAsync(Stream answer, CancellationToken cancellationToken)
    {
        var bytes = new byte[MaximumAnswerByteCount];
        var count = await answer.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        try
        {
            using var json = JsonDocument.Parse(bytes.AsMemory(0, count));
            foreach (var name in (string[])["token", "access_token"])
            {
                if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(name, out var value)
                    && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } token && token.All(c => c is > ' ' and < '\x7F')) return token;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The same as no token; the latter is a string that is no text.
        }

        return null;
    }

    /// <summary><c>name="value",…</c> (RFC 9110, 11.2); the first of equal names counts.</summary>
    internal static IReadOnlyDictionary<string, string> ParametersOf(string challenge)
    {
        var result = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var rest = challenge.AsSpan();
        while (rest.IndexOf('=') is > 0 and var equals)
        {
            var name = rest[..equals].Trim([' ', ',', '\t']).ToString();
            rest = rest[(equals + 1)..].TrimStart();
            var value = rest is ['"', ..] ? Quoted(ref rest) : Plain(ref rest);
            result.TryAdd(name, value);
        }

        return result;
    }

    private static string Plain(ref ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOf(',');
        var value = (end < 0 ? rest : rest[..end]).Trim().ToString();
        rest = end < 0 ? [] : rest[(end + 1)..];
        return value;
    }

    private static string Quoted(ref ReadOnlySpan<char> rest)
    {
        var value = new StringBuilder();
        var at = 1;
        for (; at < rest.Length && rest[at] != '"'; at++)
        {
            if (rest[at] == '\\' && at + 1 < rest.Length) at++;
            value.Append(rest[at]);
        }

        rest = at + 1 < rest.Length ? rest[(at + 1)..] : [];
        return value.ToString();
    }
}
