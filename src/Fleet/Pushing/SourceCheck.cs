using System.Net;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Ledgers;

namespace Dunlin.Fleet.Pushing;

/// <summary>
/// Asks the sources of a push for its blobs before anything is signed, so that no board comes back with <c>fetch.not-found</c>. A source
/// that cannot be asked from here, for want of a way or of credentials, may be open to the boards, and is only complained of.
/// </summary>
internal static class SourceCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <exception cref="FleetException">A source says that it has not got a blob.</exception>
    public static async Task RequireAsync(KnownRelease release, IReadOnlyList<ArtifactSource> sources, Speaker speaker, CancellationToken cancellationToken)
    {
        var digests = DigestsOf(release);
        using var http = new HttpClient { Timeout = Patience };
        foreach (var source in sources.Where(source => source.Location is not null))
        {
            if (await WhyUnknownAsync(http, release, source, digests, cancellationToken) is { } why)
                speaker.Complain($"{SourceText.Write(source)} cannot be asked from here whether it has '{release.Title}' ({why}); see that the boards can reach it.");
        }
    }

    private static async Task<string?> WhyUnknownAsync(HttpClient http, KnownRelease release, ArtifactSource source, IReadOnlyList<Digest> digests, CancellationToken cancellationToken)
    {
        foreach (var digest in digests)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Head, AddressOf(source, digest));
                using var response = await http.SendAsync(request, cancellationToken);
                if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
                    throw new FleetException(ExitCodes.InputMissing, $"{SourceText.Write(source)} has no blob {digest} of '{release.Title}', so that boards would not get it there; publish the bundle there with 'dunlin-fleet publish', or name another --source.");
                if (!response.IsSuccessStatusCode) return $"it answers {(int)response.StatusCode}";
            }
            catch (HttpRequestException e)
            {
                return e.HttpRequestError.ToString();
            }
            catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return "no answer in time";
            }
        }

        return null;
    }

    private static List<Digest> DigestsOf(KnownRelease release)
    {
        var envelope = DsseEnvelope.Format.Read(release.Envelope.Span).GetOrThrow();
        var manifest = Manifest.Format.Read(envelope.Payload.Span).GetOrThrow();
        return [.. new[] { Digest.Of(release.Envelope.Span), manifest.Labels.Digest, manifest.Golden.Blob.Digest }.Concat(manifest.Variants.Select(variant => variant.Blob.Digest)).Distinct()];
    }

    /// <summary>Where boards look: a registry's blob, or a file of an OCI layout. A registry on this machine is spoken to without TLS.</summary>
    private static Uri AddressOf(ArtifactSource source, Digest digest)
    {
        var location = new Uri(source.Location!);
        return source.Kind == SourceKind.Oci
            ? new Uri($"{(location.IsLoopback ? Uri.UriSchemeHttp : Uri.UriSchemeHttps)}://{location.Authority}/v2/{location.AbsolutePath.Trim('/')}/blobs/{digest}")
            : new Uri($"{location.AbsoluteUri.TrimEnd('/')}/blobs/sha256/{digest.Hex}");
    }
}
