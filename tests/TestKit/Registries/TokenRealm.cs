using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Dunlin.TestKit.Servers;

namespace Dunlin.TestKit.Registries;

/// <summary>
/// Hands out a registry's Bearer tokens to one user, as https://distribution.github.io/distribution/spec/auth/token/ says:
/// JSON Web Tokens (ES256) with the signer's certificate inside.
/// </summary>
public sealed class TokenRealm : IAsyncDisposable
{
    public const string Service = "dunlin-test-registry", Issuer = "dunlin-test-issuer";
    private readonly HttpListener _listener = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;
    private readonly string _authorization;
    private readonly Task _serving;

    public TokenRealm(string user, string password)
    {
        var now = TimeProvider.System.GetUtcNow();
        var request = new CertificateRequest("CN=" + Issuer, _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        _authorization = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
        Address = new Uri($"http://127.0.0.1:{Ports.Free()}/token");
        _listener.Prefixes.Add(Address.GetLeftPart(UriPartial.Authority) + "/");
        _listener.Start();
        _serving = ServeAsync();
    }

    public Uri Address { get; }

    /// <summary>For <see cref="DockerRegistry.StartAsync(Uri, string, string, string)"/>.</summary>
    public string CertificatePem => _certificate.ExportCertificatePem();

    /// <summary>Tokens given out; what must not appear in any output.</summary>
    public IReadOnlyList<string> Tokens { get { lock (_given) return [.. _given]; } }

    private readonly List<string> _given = [];

    public async ValueTask DisposeAsync()
    {
        // Not stopped before: closing what is stopped binds the port once more, which another may have by now.
        _listener.Close();
        await _serving;
        _certificate.Dispose();
        _key.Dispose();
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                Answer(await _listener.GetContextAsync());
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Answer(HttpListenerContext context)
    {
        if (context.Request.Headers["Authorization"] != _authorization)
        {
            context.Response.StatusCode = 401;
        }
        else
        {
            var scope = (context.Request.QueryString["scope"] ?? "repository::").Split(':');
            var token = Sign(scope[1], scope[^1].Split(','));
            lock (_given) _given.Add(token);
            context.Response.OutputStream.Write(JsonSerializer.SerializeToUtf8Bytes(new { token }));
        }

        context.Response.Close();
    }

    private string Sign(string repository, string[] actions)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var header = JsonSerializer.SerializeToUtf8Bytes(new { typ = "JWT", alg = "ES256", x5c = (string[])[Convert.ToBase64String(_certificate.RawData)] });
        var claims = JsonSerializer.SerializeToUtf8Bytes(new
        {
            iss = Issuer, sub = "somebody", aud = Service, exp = now + 300, nbf = now - 60, iat = now, jti = Guid.NewGuid().ToString("N"),
            access = (object[])[new { type = "repository", name = repository, actions }],
        });
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Encode(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    private static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
