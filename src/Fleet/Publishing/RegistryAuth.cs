using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Dunlin.Fleet.Publishing;

/// <summary>
/// Answers a registry's challenge: Basic, or a Bearer token from the realm that it names
/// (https://distribution.github.io/distribution/spec/auth/token/). Credentials go to the registry's own host and, over TLS or
/// to this machine, to its realm; nowhere else. Neither they nor tokens are ever printed.
/// </summary>
internal sealed partial class RegistryAuth(HttpClient http, RegistryReference registry, string? user, string? password)
{
    private AuthenticationHeaderValue? _header;

    private AuthenticationHeaderValue? Basic => user is null ? null
        : new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    public void Apply(HttpRequestMessage request)
    {
        if (request.RequestUri!.Authority == registry.Host || request.RequestUri.Host + ":" + request.RequestUri.Port == registry.Host) request.Headers.Authorization = _header;
    }

    /// <summary>After a 401: true if there is something new to try.</summary>
    public async Task<bool> TryAnswerAsync(HttpResponseMessage refusal, CancellationToken cancellationToken)
    {
        foreach (var challenge in refusal.Headers.WwwAuthenticate)
        {
            var answer = challenge.Scheme.ToLowerInvariant() switch
            {
                "basic" => Basic,
                "bearer" => await TokenAsync(challenge.Parameter ?? "", cancellationToken),
                _ => null,
            };
            if (answer is null || answer.Equals(_header)) continue;
            _header = answer;
            return true;
        }
        return false;
    }

    private async Task<AuthenticationHeaderValue?> TokenAsync(string challenge, CancellationToken cancellationToken)
    {
        var parameters = Parameters().Matches(challenge).ToDictionary(match => match.Groups["name"].Value.ToLowerInvariant(), match => match.Groups["value"].Value);
        if (!parameters.TryGetValue("realm", out var realm) || !Uri.TryCreate(realm, UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http")) return null;
        var query = $"scope={Uri.EscapeDataString($"repository:{registry.Repository}:pull,push")}";
        if (parameters.TryGetValue("service", out var service)) query += $"&service={Uri.EscapeDataString(service)}";
        using var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(address) { Query = address.Query.Length > 1 ? $"{address.Query[1..]}&{query}" : query }.Uri);
        if (address.Scheme == "https" || address.IsLoopback) request.Headers.Authorization = Basic;
        using var response = await http.SendAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode) return null;
        try
        {
            using var json = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken);
            foreach (var name in (string[])["token", "access_token"])
                if (json.RootElement.TryGetProperty(name, out var token) && token.GetString() is { Length: > 0 } text) return new AuthenticationHeaderValue("Bearer", text);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // The same as no token: not the JSON that it should be, or no text in it.
        }

        return null;
    }

    [GeneratedRegex("(?<name>[A-Za-z_]+)=\"(?<value>[^\"]*)\"")]
    private static partial Regex Parameters();
}
