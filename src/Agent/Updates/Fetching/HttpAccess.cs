using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>
/// GET requests to one source: allowed hosts, redirects, credentials. Credentials go to the host that they are configured for
/// and never follow a redirect. No text that a server sent, and no address behind a redirect, comes into a message.
/// </summary>
internal sealed class HttpAccess(HostRules rules, ServerTrust trust, FetchLimits limits, string? repository) : IDisposable
{
    private const int MaximumRedirectCount = 5;
    private const int MaximumHeaderKibibytes = 32;
    private HttpClient? _client;
    private AuthenticationHeaderValue? _authorization;

    /// <summary>Asks for a resource, or a part of it.</summary>
    /// <returns>A 200 or 206, which the caller disposes; or how it ended.</returns>
    public async Task<(HttpResponseMessage? Response, SourceEnd End)> GetAsync(
        Uri address, RangeHeaderValue? range, EntityTagHeaderValue? ifRange, CancellationToken cancellationToken)
    {
        try
        {
            return await FollowAsync(address, range, ifRange, cancellationToken);
        }
        catch (AccessFileException e)
        {
            return (null, new SourceEnd(SourceEndKind.Unauthorized, e.Message));
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && IsOfTheNetwork(e))
        {
            var detail = Describe(e, HostRules.Show(address));
            Reset();
            return (null, new SourceEnd(SourceEndKind.Broken, detail));
        }
    }

    /// <summary>Failures that a network or a server may cause.</summary>
    public static bool IsOfTheNetwork(Exception e) => e is HttpRequestException or IOException or SocketException or OperationCanceledException
        or AuthenticationException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException;

    /// <summary>A sentence from an exception that holds no address: only kinds and error numbers are taken from it.</summary>
    public string Describe(Exception e, string host)
    {
        if (trust.Refusal is { } refusal) return refusal;
        for (var inner = e; inner is not null; inner = inner.InnerException)
        {
            if (inner is SocketException socket) return $"{host}: {socket.SocketErrorCode}.";
            if (inner is AuthenticationException) return $"{host}: the TLS handshake failed.";
        }
        return e switch
        {
            HttpRequestException http => $"{host}: {http.HttpRequestError}.",
            OperationCanceledException => $"{host} did not take the connection within {limits.ConnectTimeout.TotalSeconds:0.#} s.",
            _ => $"{host}: the connection broke.",
        };
    }

    /// <summary>Closes connections; the next request checks certificates at the time that is trusted then.</summary>
    public void Reset()
    {
        _client?.Dispose();
        _client = null;
    }

    public void Dispose() => Reset();

    private async Task<(HttpResponseMessage? Response, SourceEnd End)> FollowAsync(
        Uri address, RangeHeaderValue? range, EntityTagHeaderValue? ifRange, CancellationToken cancellationToken)
    {
        var target = address;
        var hasAnswered = false;
        _authorization ??= await StaticAuthorizationAsync(address, cancellationToken);
        for (var redirects = 0; redirects <= MaximumRedirectCount;)
        {
            if (Forbidden(target, address) is { } forbidden) return (null, forbidden);
            var isOrigin = target.Authority == address.Authority && target.Scheme == address.Scheme;
            var response = await SendAsync(target, range, ifRange, isOrigin ? _authorization : null, cancellationToken);
            switch (response.StatusCode)
            {
                case HttpStatusCode.OK or HttpStatusCode.PartialContent:
                    return (response, SourceEnd.Complete);
                case HttpStatusCode.Moved or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
                    when response.Headers.Location is { } location && Uri.TryCreate(target, location, out var next):
                    redirects++;
                    target = next;
                    response.Dispose();
                    continue;
                case HttpStatusCode.Unauthorized when isOrigin && !hasAnswered:
                    hasAnswered = true;
                    var challenges = response.Headers.WwwAuthenticate.ToList();
                    response.Dispose();
                    var (authorization, refusal) = await AnswerAsync(address, challenges, cancellationToken);
                    if (refusal is { } end) return (null, end);
                    _authorization = authorization;
                    continue;
                default:
                    using (response) return (null, Explain(response.StatusCode, HostRules.Show(target)));
            }
        }
        return (null, new SourceEnd(SourceEndKind.Misbehaved, $"{HostRules.Show(address)} redirects more than {MaximumRedirectCount} times."));
    }

    private SourceEnd? Forbidden(Uri target, Uri address)
    {
        if (target.Scheme is not ("http" or "https"))
            return new SourceEnd(SourceEndKind.Misbehaved, $"{HostRules.Show(address)} redirects to something that is no HTTP address.");
        if (!rules.IsAllowed(target))
            return new SourceEnd(SourceEndKind.HostNotAllowed, $"Host '{HostRules.Show(target)}' is not in Updates:AllowedHosts; add it there, or publish the artifacts on an allowed host.");
        return address.Scheme == Uri.UriSchemeHttps && target.Scheme == Uri.UriSchemeHttp
            ? new SourceEnd(SourceEndKind.Misbehaved, $"{HostRules.Show(address)} redirects from HTTPS to plain HTTP, which is not followed.")
            : null;
    }

    private async Task<HttpResponseMessage> SendAsync(
        Uri target, RangeHeaderValue? range, EntityTagHeaderValue? ifRange, AuthenticationHeaderValue? authorization, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, target);
        request.Headers.Range = range;
        if (ifRange is not null) request.Headers.IfRange = new RangeConditionHeaderValue(ifRange);
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("dunlin-agent", AgentVersion.Text));
        request.Headers.Authorization = authorization;
        return await Client().SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    private async Task<AuthenticationHeaderValue?> StaticAuthorizationAsync(Uri address, CancellationToken cancellationToken) =>
        rules.CredentialOf(address) is { IsToken: true } credential
            ? new AuthenticationHeaderValue("Bearer", await credential.ReadSecretAsync(cancellationToken))
            : null;

    private async Task<(AuthenticationHeaderValue? Authorization, SourceEnd? Refusal)> AnswerAsync(
        Uri address, List<AuthenticationHeaderValue> challenges, CancellationToken cancellationToken)
    {
        var host = HostRules.Show(address);
        var credential = rules.CredentialOf(address);
        if (credential?.IsToken == true)
        {
            // Its file may have been renewed since the first request.
            var renewed = await StaticAuthorizationAsync(address, cancellationToken);
            return Equals(renewed, _authorization) ? (null, new SourceEnd(SourceEndKind.Unauthorized, $"{host} refuses the token of Updates:Credentials; renew it.")) : (renewed, null);
        }
        if (repository is not null && challenges.FirstOrDefault(c => c.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase)) is { } bearer)
        {
            var token = new RegistryToken(rules, SendAsync);
            return await token.RequestAsync(address, bearer.Parameter ?? "", repository, cancellationToken);
        }
        if (!challenges.Any(c => c.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)))
            return (null, new SourceEnd(SourceEndKind.Unauthorized, $"{host} asks for credentials of a kind that the agent does not know."));
        if (credential is null)
        {
            return (null, new SourceEnd(SourceEndKind.Unauthorized,
                address.Scheme == Uri.UriSchemeHttps || rules.IsInsecure(address)
                    ? $"{host} asks for credentials; add its host to Updates:Credentials."
                    : $"{host} asks for credentials over plain HTTP, where others could read them; use https, or list the host in Updates:InsecureHosts."));
        }
        return (await credential.BasicAsync(cancellationToken), null);
    }

    private static SourceEnd Explain(HttpStatusCode status, string host) => (int)status switch
    {
        401 or 403 => new(SourceEndKind.Unauthorized, $"{host} refuses access ({(int)status}); check Updates:Credentials and what this device may read there."),
        404 or 410 => new(SourceEndKind.NotFound, $"{host} does not have the blob ({(int)status}); publish the bundle there."),
        408 or 429 or >= 500 => new(SourceEndKind.Broken, $"{host} answers {(int)status}."),
        var other => new(SourceEndKind.Misbehaved, $"{host} answers {other} to a request for a blob."),
    };

    private HttpClient Client() => _client ??= new HttpClient(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        ConnectTimeout = limits.ConnectTimeout,
        MaxResponseDrainSize = 0,
        MaxResponseHeadersLength = MaximumHeaderKibibytes,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        SslOptions = trust.Options(),
    })
    {
        // The throughput guard ends what hangs.
        Timeout = Timeout.InfiniteTimeSpan,
    };
}
