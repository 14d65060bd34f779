using System.Net;
using System.Net.Http.Headers;
using Dunlin.Bundles.Layouts;

namespace Dunlin.Fleet.Publishing;

/// <summary>
/// Pushes to a registry by the OCI distribution specification 1.1: a blob that is there is left alone, others are uploaded
/// in one piece, the image manifest comes last, byte for byte as the bundle has it.
/// </summary>
internal sealed class RegistryClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = Patience };
    private readonly RegistryReference _registry;
    private readonly RegistryAuth _auth;
    private readonly Uri _base;

    public RegistryClient(RegistryReference registry, bool isPlain, string? user, string? password)
    {
        _registry = registry;
        _auth = new RegistryAuth(_http, registry, user, password);
        _base = new Uri($"{(isPlain ? "http" : "https")}://{registry.Host}/v2/{registry.Repository}/");
    }

    /// <returns>Blobs uploaded, and blobs that were there.</returns>
    /// <exception cref="FleetException">The registry is not there, refuses, or keeps something else than was sent.</exception>
    public async Task<(int Uploaded, int Present)> PushAsync(Bundle bundle, string tag, CancellationToken cancellationToken)
    {
        var uploaded = 0;
        var parts = bundle.Parts();
        try
        {
            foreach (var part in parts)
            {
                if (await HasAsync($"blobs/{part.Digest}", cancellationToken)) continue;
                await UploadAsync(bundle.PathOf(part.Digest), part, cancellationToken);
                uploaded++;
            }
            var image = bundle.ImagePart();
            await PutImageAsync(bundle.PathOf(image.Digest), image, tag, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw new FleetException(ExitCodes.Unavailable, $"The registry {_base.Authority} is not to be had: {e.Message.TrimEnd('.')}; check the address, and --plain-http for a registry without TLS.", e);
        }
        catch (TaskCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new FleetException(ExitCodes.Unavailable, $"The registry {_base.Authority} did not answer in time; try again, what is uploaded stays.", e);
        }
        return (uploaded, parts.Count - uploaded);
    }

    public void Dispose() => _http.Dispose();

    private async Task<bool> HasAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(() => new HttpRequestMessage(HttpMethod.Head, new Uri(_base, path)), cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => true,
            // Its storage has the blob: it sends there whoever wants to read it, and the image manifest is the proof.
            HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect => true,
            HttpStatusCode.NotFound => false,
            _ => throw await RefusalAsync(response, $"was asked for {path}", cancellationToken),
        };
    }

    private async Task UploadAsync(string file, BundlePart part, CancellationToken cancellationToken)
    {
        using var begun = await SendAsync(() => new HttpRequestMessage(HttpMethod.Post, new Uri(_base, "blobs/uploads/")), cancellationToken);
        if (begun.StatusCode != HttpStatusCode.Accepted || begun.Headers.Location is not { } location) throw await RefusalAsync(begun, "was to begin an upload", cancellationToken);
        var target = new UriBuilder(new Uri(_base, location));
        target.Query = target.Query.Length > 1 ? $"{target.Query[1..]}&digest={Uri.EscapeDataString(part.Digest.ToString())}" : $"digest={Uri.EscapeDataString(part.Digest.ToString())}";
        using var done = await SendAsync(() => Put(target.Uri, file, "application/octet-stream", part.Size), cancellationToken);
        if (done.StatusCode != HttpStatusCode.Created) throw await RefusalAsync(done, $"was sent {part.MediaType} {part.Digest}", cancellationToken);
    }

    private async Task PutImageAsync(string file, BundlePart image, string tag, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(() => Put(new Uri(_base, $"manifests/{tag}"), file, image.MediaType, image.Size), cancellationToken);
        if (response.StatusCode != HttpStatusCode.Created) throw await RefusalAsync(response, $"was sent the image manifest as '{tag}'", cancellationToken);
        var kept = response.Headers.TryGetValues("Docker-Content-Digest", out var values) ? values.First() : image.Digest.ToString();
        if (kept != image.Digest.ToString())
            throw new FleetException(ExitCodes.Unavailable, $"The registry {_base.Authority} keeps the image as {kept}, and it was sent {image.Digest}; use a registry that keeps digests.");
    }

    // A request is made anew for the second try: a body can be sent once.
    private async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> make, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var request = make();
            _auth.Apply(request);
            var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (response.StatusCode != HttpStatusCode.Unauthorized || attempt == 2 || !await _auth.TryAnswerAsync(response, cancellationToken)) return response;
            response.Dispose();
        }
    }

    private static HttpRequestMessage Put(Uri target, string file, string type, long size)
    {
        var content = new StreamContent(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 17));
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        content.Headers.ContentLength = size;
        return new HttpRequestMessage(HttpMethod.Put, target) { Content = content };
    }

    private async Task<FleetException> RefusalAsync(HttpResponseMessage response, string when, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        var said = string.Concat(text.Take(300).Select(character => char.IsControl(character) ? ' ' : character));
        return response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
            ? new FleetException(ExitCodes.NotPermitted, $"The registry {_base.Authority} does not let us push to '{_registry.Repository}' ({(int)response.StatusCode}); give --registry-user and --registry-password-file of somebody who may.")
            : new FleetException(ExitCodes.Unavailable, $"The registry {_base.Authority} answered {(int)response.StatusCode} when it {when}: {said}; look into its log.");
    }
}
