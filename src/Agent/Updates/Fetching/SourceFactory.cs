using Dunlin.Agent.Configuration;
using Dunlin.Contracts.Signing;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>Makes the source that a directive names.</summary>
internal sealed class SourceFactory(UpdateOptions options, FetchLimits limits, BlobChannel channel, TimeProvider time)
{
    private readonly HostRules _rules = new(options);

    public IChunkSource Make(ArtifactSource source, Func<DateTimeOffset> trustedNow) => source.Kind switch
    {
        SourceKind.Oci => Registry(new Uri(source.Location!), trustedNow),
        SourceKind.Http => Layout(new Uri(source.Location!), trustedNow),
        SourceKind.Mqtt => new MqttChunkSource(channel, limits, time),
        _ => throw new ArgumentOutOfRangeException(nameof(source), source.Kind, "A directive's sources are oci, http or mqtt."),
    };

    /// <summary>GET /v2/{repository}/blobs/{digest} of the OCI distribution specification.</summary>
    private HttpChunkSource Registry(Uri location, Func<DateTimeOffset> trustedNow)
    {
        var repository = location.AbsolutePath.Trim('/');
        var scheme = _rules.IsInsecure(location) ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;
        return new HttpChunkSource($"registry {HostRules.Show(location)}", digest => new Uri($"{scheme}://{location.Authority}/v2/{repository}/blobs/{digest}"), Access(trustedNow, repository));
    }

    /// <summary>The files of an OCI layout directory.</summary>
    private HttpChunkSource Layout(Uri location, Func<DateTimeOffset> trustedNow)
    {
        var folder = location.AbsoluteUri.TrimEnd('/');
        return new HttpChunkSource(HostRules.Show(location), digest => new Uri($"{folder}/blobs/sha256/{digest.Hex}"), Access(trustedNow, null));
    }

    private HttpAccess Access(Func<DateTimeOffset> trustedNow, string? repository) => new(_rules, new ServerTrust(options, trustedNow), limits, repository);
}
