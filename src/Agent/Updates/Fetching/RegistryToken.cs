using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>
/// The token of the registry's Bearer challenge (OCI distribution specification; Docker's "Token Authentication
/// Specification"). The realm is another host's address that the registry names: it must be allowed, it is shown only the credentials
/// configured for that very host, and the scope asked for is pulling from one repository, whatever the challenge says.
/// </summary>
internal sealed class RegistryToken(HostRules rules, RegistryToken.Sender send)
{
    private const int MaximumByteCount = 64 * 1024;

    internal delegate Task<HttpResponseMessage> Sender(
        Uri target, RangeHeaderValue? range, EntityTagHeaderValue? ifRange, AuthenticationHeaderValue? authorization, CancellationToken cancellationToken);

    public async Task<(AuthenticationHeaderValue? Authorization, SourceEnd? Refusal)> RequestAsync(
        Uri registry, string challenge, string repository, CancellationToken cancellationToken)
    {
        var host = HostRules.Show(registry);
        var parameters = ChallengeParameters.Parse(challenge);
        if (!parameters.TryGetValue("realm", out var realm) || !Uri.TryCreate(realm, UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https"))
            return Refuse(SourceEndKind.Misbehaved, $"{host} asks for a token and does not say where to get it.");
        var shown = HostRules.Show(server);
        if (!rules.IsAllowed(server))
            return Refuse(SourceEndKind.HostNotAllowed, $"Host '{shown}', where {host} wants a token to be got, is not in Updates:AllowedHosts; add it there.");
        if (server.Scheme == Uri.UriSchemeHttp && !rules.IsInsecure(server))
            return Refuse(SourceEndKind.Unauthorized, $"{host} wants a token to be got from {shown} over plain HTTP; use https, or list that host in Updates:InsecureHosts.");

        var query = $"scope={Uri.EscapeDataString($"repository:{repository}:pull")}";
        if (parameters.TryGetValue("service", out var service)) query = $"service={Uri.EscapeDataString(service)}&{query}";
        var address = new UriBuilder(server) { Query = server.Query.Length > 1 ? $"{server.Query[1..]}&{query}" : query, UserName = "", Password = "", Fragment = "" }.Uri;
        var credential = rules.CredentialOf(server);
        var own = credential is { IsToken: false } ? await credential.BasicAsync(cancellationToken) : null;
        using var response = await send(address, null, null, own, cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return Refuse(
                (int)response.StatusCode >= 500 || response.StatusCode == HttpStatusCode.TooManyRequests ? SourceEndKind.Broken : SourceEndKind.Unauthorized,
                $"{shown} gives no token for {host} ({(int)response.StatusCode}); {(own is null ? $"add {shown} to Updates:Credentials" : "correct its credentials in Updates:Credentials")}.");
        }
        return await ReadAsync(response, cancellationToken) is { } token
            ? (new AuthenticationHeaderValue("Bearer", token), null)
            : Refuse(SourceEndKind.Misbehaved, $"{shown} answers without a token.");
    }

    private static async Task<string?> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var bytes = new byte[MaximumByteCount];
        var count = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
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

    private static (AuthenticationHeaderValue?, SourceEnd?) Refuse(SourceEndKind kind, string detail) => (null, new SourceEnd(kind, detail));
}
