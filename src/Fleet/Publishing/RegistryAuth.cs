using System.Net.Http.Headers;
using System.Text;
using Dunlin.Bundles.Registries;

namespace Dunlin.Fleet.Publishing;

/// <summary>
/// Answers a registry's challenge: Basic, or a Bearer token from the realm that it names
/// (<see cref="RegistryChallenge"/>). Credentials go to the registry's own host and, over TLS or
/// to this machine, to its realm; nowhere else. Neither they nor tokens are ever printed.
/// </summary>
internal sealed class RegistryAuth(HttpClient http, RegistryReference registry, string? user, string? password)
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
        var asked = RegistryChallenge.Parse(challenge);
        if (asked.Realm is not { } realm) return null;
        using var request = new HttpRequestMessage(HttpMethod.Get, asked.TokenAddress(registry.Repository, "pull,push"));
        if (realm.Scheme == "https" || realm.IsLoopback) request.Headers.Authorization = Basic;
        using var response = await http.SendAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode) return null;
        var token = await RegistryChallenge.ReadTokenAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken);
        return token is null ? null : new AuthenticationHeaderValue("Bearer", token);
    }
}
