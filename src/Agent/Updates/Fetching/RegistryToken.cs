using System.Net;
using System.Net.Http.Headers;
using Dunlin.Bundles.Registries;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>
/// The token of the registry's Bearer challenge (<see cref="RegistryChallenge"/>). The realm is another host's address that the
/// registry names: it must be allowed, it is shown only the credentials configured for that very host, and the scope asked for is
/// pulling from one repository, whatever the challenge says.
/// </summary>
internal sealed class RegistryToken(HostRules rules, RegistryToken.Sender send)
{
    internal delegate Task<HttpResponseMessage> Sender(
        Uri target, RangeHeaderValue? range, EntityTagHeaderValue? ifRange, AuthenticationHeaderValue? authorization, CancellationToken cancellationToken);

    public async Task<(AuthenticationHeaderValue? Authorization, SourceEnd? Refusal)> RequestAsync(
        Uri registry, string challenge, string repository, CancellationToken cancellationToken)
    {
        var host = HostRules.Show(registry);
        var asked = RegistryChallenge.Parse(challenge);
        if (asked.Realm is not { } server)
            return Refuse(SourceEndKind.Misbehaved, $"{host} asks for a token and does not say where to get it.");
        var shown = HostRules.Show(server);
        if (!rules.IsAllowed(server))
            return Refuse(SourceEndKind.HostNotAllowed, $"Host '{shown}', where {host} wants a token to be got, is not in Updates:AllowedHosts; add it there.");
        if (server.Scheme == Uri.UriSchemeHttp && !rules.IsInsecure(server))
            return Refuse(SourceEndKind.Unauthorized, $"{host} wants a token to be got from {shown} over plain HTTP; use https, or list that host in Updates:InsecureHosts.");

        var credential = rules.CredentialOf(server);
        var own = credential is { IsToken: false } ? await credential.BasicAsync(cancellationToken) : null;
        using var response = await send(asked.TokenAddress(repository, "pull"), null, null, own, cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return Refuse(
                (int)response.StatusCode >= 500 || response.StatusCode == HttpStatusCode.TooManyRequests ? SourceEndKind.Broken : SourceEndKind.Unauthorized,
                $"{shown} gives no token for {host} ({(int)response.StatusCode}); {(own is null ? $"add {shown} to Updates:Credentials" : "correct its credentials in Updates:Credentials")}.");
        }
        return await RegistryChallenge.ReadTokenAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken) is { } token
            ? (new AuthenticationHeaderValue("Bearer", token), null)
            : Refuse(SourceEndKind.Misbehaved, $"{shown} answers without a token.");
    }

    private static (AuthenticationHeaderValue?, SourceEnd?) Refuse(SourceEndKind kind, string detail) => (null, new SourceEnd(kind, detail));
}
